import { within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { expectAccessible, openFleet, openWindow } from '../../test/window';

async function openForm(options = {}) {
  const window = openWindow(options);
  await window.user.click(await window.findByRole('button', { name: 'Connect to my broker' }));
  await window.findByRole('textbox', { name: 'Name' });
  const fill = async (name: string, text: string) => {
    await window.user.type(window.getByRole('textbox', { name }), text);
  };
  return { ...window, fill };
}

describe('a new connection', () => {
  it('is complained about field by field before anybody is asked', async () => {
    const { getByRole, findByText, fill, user, container } = await openForm();
    await fill('Certificate file', '/tmp/c.pem');
    await user.click(getByRole('button', { name: 'Save' }));
    await findByText('Give the connection a name.');
    await findByText('A certificate needs its private key.');
    expect(getByRole('textbox', { name: 'Name' })).toHaveAttribute('aria-invalid', 'true');
    await expectAccessible(container);
  });

  it('is tested and saved', async () => {
    const { getByRole, findByRole, findByText, fill, user } = await openForm();
    await fill('Name', 'Bench');
    await fill('Address', 'mqtts://bench.local:8883');
    await user.click(getByRole('button', { name: 'Choose the CA file' }));
    expect(getByRole('textbox', { name: 'CA file' })).toHaveValue('/home/you/certificates/ca-file.pem');
    await user.click(getByRole('button', { name: 'Test' }));
    await findByText(/Nothing answers at mqtts:\/\/bench.local:8883/);
    await findByText('12 ms');
    await user.click(getByRole('button', { name: 'Save' }));
    const card = within(await findByRole('article', { name: 'Bench' }));
    card.getByText('Waiting to try again');
  });

  it('is kept in memory where there is no keyring, if the person wants that', async () => {
    const { getByRole, findByRole, fill, user } = await openForm({ keyring: false });
    await fill('Name', 'Bench');
    await fill('Address', 'mqtts://bench.local');
    await user.click(getByRole('button', { name: 'Save' }));
    expect(await findByRole('alert')).toHaveTextContent('There is no keyring on this computer');
    await user.click(getByRole('checkbox', { name: 'Keep in memory for this run' }));
    await user.click(getByRole('button', { name: 'Save' }));
    await findByRole('article', { name: 'Bench' });
  });
});

describe('the connections', () => {
  it('are cards, and removing one asks first', async () => {
    const { getByRole, findByRole, user, container } = await openFleet();
    await user.click(getByRole('link', { name: 'Connections' }));
    const card = within(await findByRole('article', { name: 'Demo fleet' }));
    card.getByText('Demo, inside this app');
    await user.click(card.getByRole('button', { name: 'Remove…' }));
    await expectAccessible(container);
    await user.click(card.getByRole('button', { name: 'Remove Demo fleet' }));
    await findByRole('heading', { name: 'No connection yet' });
    await user.click(getByRole('link', { name: 'Fleet' }));
    await findByRole('button', { name: 'Try the demo fleet' });
  });

  it('are switched in the top bar', async () => {
    const { getByRole, findByRole, backend, user } = await openFleet();
    await backend.addConnection({
      name: 'Bench',
      url: 'mqtt://bench',
      mqtt: '5',
      client_id: null,
      username: null,
      password: null,
      dialect: null,
      prefix: null,
      files: { ca: null, certificate: null, key: null },
      without_keyring: false,
    });
    await user.click(getByRole('button', { name: 'Connection: Demo fleet, connected' }));
    await user.click(await findByRole('button', { name: /^Bench/ }));
    await findByRole('button', { name: 'Connection: Bench, waiting to try again' });
    expect(await findByRole('status', { name: 'Connection' })).toHaveTextContent('Nothing answers at mqtt://bench');
    await findByRole('heading', { name: 'No device has been heard yet' });
  });
});
