import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { ROTTERDAM, view } from '../../backend/fake/connections';
import { newRollout } from '../../test/rollouts';
import { expectAccessible, openFleet, openWindow } from '../../test/window';

const BENCH = view({ id: 'bench', name: 'Bench', url: 'mqtt://bench:1883' });

async function openCards() {
  const window = openWindow({ connections: [{ ...ROTTERDAM }, { ...BENCH }] });
  await window.user.click(await window.findByRole('link', { name: /Connections/ }));
  await window.findByRole('article', { name: 'Bench' });
  const card = async (name: string) => within(await window.findByRole('article', { name }));
  const press = async (name: string) => window.user.click(await window.findByRole('button', { name }));
  const more = async (name: string, what: string) => {
    await window.user.click((await card(name)).getByRole('button', { name: 'More' }));
    await window.user.click((await card(name)).getByRole('button', { name: what }));
  };
  const names = () => window.getAllByRole('article').map((article) => article.getAttribute('aria-label'));
  return { ...window, card, press, more, names };
}

describe('the connections', () => {
  it('are cards, and removing one asks first', async () => {
    const { getByRole, findByRole, user, container } = await openFleet();
    await user.click(getByRole('link', { name: 'Connections' }));
    const card = within(await findByRole('article', { name: 'Demo fleet' }));
    card.getByText('Demo, inside this app');
    await user.click(card.getByRole('button', { name: 'More' }));
    await expectAccessible(container);
    await user.click(card.getByRole('button', { name: 'Remove…' }));
    expect(card.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    expect(card.getByText(/^This also deletes/)).toHaveTextContent(
      'This also deletes 60 devices, their telemetry, their logs, and 150 commands from the history. This cannot be undone.',
    );
    await expectAccessible(container);
    await user.click(card.getByRole('button', { name: 'Remove Demo fleet' }));
    await findByRole('heading', { name: 'No connections yet' });
    await user.click(getByRole('link', { name: 'Fleet' }));
    await findByRole('button', { name: 'Try the demo fleet' });
  });

  it('name the rollouts that have not ended before they are removed with one', async () => {
    const { getByRole, findByRole, user, backend } = await openFleet({ rolloutSpeed: 1 });
    await backend.startRollout(newRollout({ name: 'Lights', rate: 1 }));
    await user.click(getByRole('link', { name: 'Connections' }));
    const card = within(await findByRole('article', { name: 'Demo fleet' }));
    await user.click(card.getByRole('button', { name: 'More' }));
    await user.click(card.getByRole('button', { name: 'Remove…' }));
    expect(card.getByText(/^1 rollout has not ended:/).parentElement).toHaveTextContent('Lights (rollout 1)');
  });

  it('are switched in the top bar', async () => {
    const { getByRole, findByRole, user, container } = await openCards();
    await expectAccessible(container);
    await user.click(getByRole('button', { name: 'Connection: Rotterdam cold chain, retrying' }));
    await user.click(await findByRole('button', { name: /^Bench/ }));
    await user.click(getByRole('link', { name: 'Fleet' }));
    await findByRole('heading', { name: 'No devices yet' });
  });

  it('offer the devices of other dialects that were found', async () => {
    const examples = ['Attic', 'Hall', 'Porch'];
    const shelly = { name: 'shelly', title: 'Shelly', devices: 3, examples };
    const tasmota = { name: 'tasmota', title: 'Tasmota', devices: 1, examples: ['Socket'] };
    const window = openWindow({ connections: [{ ...BENCH, offers: [shelly, tasmota] }] });
    const banner = within(await window.findByRole('status', { name: 'Found: Shelly' }));
    banner.getByText('3 Shelly devices answer here');
    await expectAccessible(window.container);
    await window.user.click(banner.getByRole('button', { name: 'Show' }));
    await waitFor(() => expect(window.queryByRole('status', { name: 'Found: Shelly' })).toBeNull());
    await window.user.click(await window.findByRole('link', { name: /Connections/ }));
    const card = within(await window.findByRole('article', { name: 'Bench' }));
    card.getByText('MQTT 5, Wilco JSON, Shelly');
    const other = within(card.getByRole('status', { name: 'Found: Tasmota' }));
    expect(other.getByText('1 Tasmota device answers here').parentElement).toHaveTextContent(/Show it\?/);
    await window.user.click(other.getByRole('button', { name: 'Not now' }));
    await waitFor(() => expect(card.queryByRole('status', { name: 'Found: Tasmota' })).toBeNull());
    card.getByText('MQTT 5, Wilco JSON, Shelly');
  });

  it('show the titles of dialect files, and which dialects read the same messages', async () => {
    const overlap = "'mine' and 'tasmota' both use 'stat/+/RESULT'. Enable only one of them.";
    const dialects = [...BENCH.dialects, { name: 'mine', settings: {} }];
    const bench = { ...BENCH, dialects, titles: { mine: 'Pump house' }, overlaps: [overlap] };
    const window = openWindow({ connections: [bench] });
    await window.user.click(await window.findByRole('link', { name: /Connections/ }));
    const card = within(await window.findByRole('article', { name: 'Bench' }));
    card.getByText('MQTT 5, Wilco JSON, Pump house');
    within(card.getByRole('list', { name: 'Dialects that read the same messages' })).getByText(overlap);
    await expectAccessible(window.container);
  });

  it('are duplicated', async () => {
    const { more, names } = await openCards();
    await more('Bench', 'Duplicate');
    await waitFor(() => expect(names()).toEqual(['Rotterdam cold chain', 'Bench', 'Bench copy']));
  });

  it('are put in order by buttons and by keys', async () => {
    const { more, names, card, user, getByRole, backend } = await openCards();
    await more('Bench', 'Move up');
    await waitFor(() => expect(names()).toEqual(['Bench', 'Rotterdam cold chain']));
    (await card('Bench')).getByRole('button', { name: 'Edit…' }).focus();
    await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
    await waitFor(() => expect(names()).toEqual(['Rotterdam cold chain', 'Bench']));
    const edit = (await card('Bench')).getByRole('button', { name: 'Edit…' });
    await waitFor(() => expect(edit).toHaveFocus());
    expect(getByRole('status', { name: 'Order' })).toHaveTextContent('Bench is now 2 of 2.');
    expect((await backend.connections()).map(({ id }) => id)).toEqual(['rotterdam', 'bench']);
  });

  it('are tried as they are kept', async () => {
    const { card, user, findByText, findByRole, press } = await openCards();
    await user.click((await card('Bench')).getByRole('button', { name: 'Test' }));
    await findByRole('heading', { name: 'Test Bench' });
    await findByText('All steps passed');
    await findByText(/Not encrypted/);
    await press('Retry all');
    await findByText('All steps passed');
    await user.click(await findByRole('link', { name: 'Back to the connections' }));
    await findByRole('article', { name: 'Bench' });
  });
});

describe('a certificate that ends soon', () => {
  it('is shown at the top, in the rail and on its card', async () => {
    const { card, getByRole, findByRole, user } = await openCards();
    (await card('Rotterdam cold chain')).getByText('12 days left');
    getByRole('link', { name: 'Connections, 1 connection with problems, a certificate expires soon' });
    await user.click(getByRole('link', { name: 'Fleet' }));
    const banner = within(await findByRole('status', { name: 'Certificate' }));
    await user.click(banner.getByRole('link', { name: 'Renew' }));
    await findByRole('heading', { name: 'Renew the certificate of Rotterdam cold chain' });
  });

  it('is renewed in place, old and new side by side', async () => {
    const { more, findByRole, findByText, getByRole, getByLabelText, user, container, press } = await openCards();
    await more('Rotterdam cold chain', 'Renew certificate…');
    await findByRole('heading', { name: 'Add the new certificate' });
    await waitFor(() => expect(getByLabelText('File path')).toHaveFocus());
    expect(getByRole('button', { name: 'Renew' })).toBeDisabled();
    expect(getByRole('region', { name: 'Now' })).toHaveTextContent('12 days left');
    await user.keyboard('/kit/expired.p12{Enter}');
    await user.type(await waitFor(() => getByLabelText('Passphrase')), 'wilco{Enter}');
    await findByText(/It does not expire later/);
    await press('Remove Device certificate, expired.p12');
    await press('Remove Private key, expired.p12');
    await user.type(getByLabelText('File path'), '/kit/new.p12{Enter}');
    await user.type(await waitFor(() => getByLabelText('Passphrase')), 'wilco{Enter}');
    expect(await findByRole('region', { name: 'New' })).toHaveTextContent('CN=wilco-console, O=Bench');
    await expectAccessible(container);
    await press('Renew');
    const card = within(await findByRole('article', { name: 'Rotterdam cold chain' }));
    card.getByText('364 days left');
  });
});

describe('an exported file', () => {
  it('carries the secrets only under a good passphrase, given twice', async () => {
    const { press, findByRole, findByText, getByLabelText, getByRole, user, container, names, queryByRole } =
      await openCards();
    await press('Export all…');
    await user.click(getByRole('radio', { name: 'Included, encrypted with a passphrase' }));
    await user.type(getByLabelText('Path of the file to write'), '/tmp/all.wilco');
    await user.type(getByLabelText('Passphrase'), 'too short');
    await findByText('At least 12 characters: 3 to go.');
    await user.type(getByLabelText('Passphrase'), ', now longer');
    await findByText('Good.');
    await press('Export');
    await findByText('The passphrases do not match.');
    await expectAccessible(container);
    await user.type(getByLabelText('Repeat the passphrase'), 'too short, now longer{Enter}');
    await findByText('2 connections written to /tmp/all.wilco.');
    expect(queryByRole('dialog')).toBeNull();

    await press('Import…');
    await user.type(getByLabelText('Path of the file to read'), 'file:///tmp/all.wilco{Enter}');
    await waitFor(() => expect(getByLabelText('Passphrase')).toHaveFocus());
    await user.keyboard('guess{Enter}');
    await findByText(/Wrong passphrase/);
    await expectAccessible(container);
    await user.type(getByLabelText('Passphrase'), 'too short, now longer');
    await press('Unlock and import');
    await findByText('Imported Rotterdam cold chain 2, Bench 2.');
    await user.click(await findByRole('button', { name: 'Done' }));
    expect(names()).toHaveLength(4);
  });

  it('may leave the secrets out, and says who needs theirs', async () => {
    const { more, card, findByText, getByLabelText, press, user, findByRole } = await openCards();
    await more('Rotterdam cold chain', 'Export…');
    await press('Choose where to save');
    expect(getByLabelText('Path of the file to write')).toHaveValue('/home/you/Rotterdam-cold-chain.wilco');
    await user.click((await card('Rotterdam cold chain')).getByRole('button', { name: 'Export' }));
    await findByText(/1 connection written/);
    await press('Import…');
    await user.type(getByLabelText('Path of the file to read'), '/home/you/Rotterdam-cold-chain.wilco');
    await press('Import');
    await findByText(/Without secrets: Rotterdam cold chain 2/);
    await findByRole('article', { name: 'Rotterdam cold chain 2' });
  });

  it('that does not exist is reported', async () => {
    const { press, getByLabelText, user, findByRole } = await openCards();
    await press('Import…');
    await user.type(getByLabelText('Path of the file to read'), '/gone{Enter}');
    expect(await findByRole('alert')).toHaveTextContent('The file /gone does not exist.');
  });
});
