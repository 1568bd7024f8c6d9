import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { view } from '../../backend/fake/connections';
import { expectAccessible, openWindow } from '../../test/window';

const PUMPS = view({
  id: 'pumps',
  name: 'Pumps',
  url: 'mqtt://pumps:1883',
  link: { state: 'online', since: 0 },
});

async function openDialects() {
  const window = openWindow({ connections: [{ ...PUMPS }] });
  await window.user.click(await window.findByRole('link', { name: /Connections/ }));
  const card = within(await window.findByRole('article', { name: 'Pumps' }));
  await window.user.click(card.getByRole('button', { name: 'More' }));
  await window.user.click(card.getByRole('button', { name: 'Dialects…' }));
  await window.findByRole('heading', { name: 'Dialects of Pumps' });
  return window;
}

describe('a dialect of one’s own', () => {
  it('is begun from the palette and from live traffic', async () => {
    const { findByRole, getByRole, user } = openWindow({ connections: [{ ...PUMPS }] });
    await findByRole('link', { name: 'Traffic' });
    await user.keyboard('{Control>}k{/Control}');
    await user.keyboard('describe dialect');
    await user.click(await findByRole('option', { name: /Describe a dialect for Pumps/ }));
    await findByRole('region', { name: 'Describe a dialect' });
    await user.click(getByRole('link', { name: 'Traffic' }));
    await user.click(await findByRole('link', { name: 'Describe a dialect…' }));
    await findByRole('region', { name: 'Describe a dialect' });
  });

  it('is described from a request and its answer, as form and as file, and saved', async () => {
    const { findByRole, findAllByRole, findByText, getByRole, user, container } = await openDialects();
    await findByText(/Describe your firmware from its messages/);
    await user.click(getByRole('button', { name: 'Describe a dialect…' }));
    const messages = within(await findByRole('region', { name: 'Messages' }));
    await waitFor(() => expect(messages.getAllByRole('listitem').length).toBeGreaterThan(1));
    await expectAccessible(container);
    const [answer, request] = messages.getAllByRole('listitem');
    if (!request || !answer) throw new Error('There are no messages.');
    await user.click(within(request).getByRole('button', { name: 'Request' }));
    await user.click(within(answer).getByRole('button', { name: 'Answer' }));
    await findByText(/^Requests go to 'pumps\/p-7\/in'/);
    expect(getByRole('group', { name: 'Request' })).toBeInTheDocument();
    const topic = () => within(getByRole('group', { name: 'Request' })).getByRole('textbox', { name: 'Topic' });
    expect(topic()).toHaveValue('pumps/{device}/in');
    await waitFor(() => expect(messages.getAllByText('Answer', { selector: 'b' })).not.toHaveLength(0));
    messages.getByText('1 cannot be read');

    await user.click(getByRole('radio', { name: 'File' }));
    const file = () => (getByRole('textbox', { name: 'Dialect file' }) as HTMLTextAreaElement).value;
    expect(file()).toContain('topic = "pumps/{device}/in"');
    await user.click(getByRole('radio', { name: 'Form' }));
    await user.type(topic(), '2');
    await user.click(getByRole('radio', { name: 'File' }));
    await waitFor(() => expect(file()).toContain('topic = "pumps/{device}/in2"'));
    await user.click(getByRole('button', { name: 'Save' }));
    const saved = await findAllByRole('listitem', { name: 'my-firmware' });
    within(saved[0] as HTMLElement).getByText('Enabled');
    await expectAccessible(container);
  });

  it('is learned from the messages of a minute, or of as many as have been seen', async () => {
    const { findByRole, findByText, getByRole, user } = await openDialects();
    await user.click(getByRole('button', { name: 'Describe a dialect…' }));
    const messages = within(await findByRole('region', { name: 'Messages' }));
    // The messages of before are not what the minute has to be about.
    await user.click(await messages.findByRole('button', { name: 'Stop' }));
    await user.click(messages.getByRole('button', { name: 'Learn' }));
    await messages.findByText(/^Use the device now\. Wilco proposes the dialect in \d+ s\.$/);
    await waitFor(() => expect(messages.getAllByRole('listitem')).toHaveLength(5));
    await user.click(messages.getByRole('button', { name: /^Propose now/ }));
    await findByText(/^Requests go to 'pumps\/p-7\/in'/);
    expect(messages.getByRole('button', { name: 'Learn' })).toBeVisible();
    const request = within(await findByRole('group', { name: 'Request' }));
    expect(request.getByRole('textbox', { name: 'Topic' })).toHaveValue('pumps/{device}/in');
  });

  it('cannot be learned from unsuitable messages, and explains what to do instead', async () => {
    const { backend, findByRole, getByRole, findByText, user } = await openDialects();
    const message = 'No two of 3 messages on 3 topics look like a request and its answer.';
    await user.click(getByRole('button', { name: 'Describe a dialect…' }));
    const messages = within(await findByRole('region', { name: 'Messages' }));
    await user.click(messages.getByRole('button', { name: 'Learn' }));
    const hint = 'Choose the messages yourself, or write the file.';
    backend.draftDialect = () => Promise.reject({ code: 'invalid', message, hint });
    await user.click(await messages.findByRole('button', { name: /^Propose now/ }));
    await findByText(new RegExp(message));
    await findByText(new RegExp(hint));
  });

  it('is imported from a file, and exported to one', async () => {
    const { backend, findByRole, findByText, getByRole, user } = await openDialects();
    const read = vi.spyOn(backend, 'readDialect');
    const written = vi.spyOn(backend, 'exportDialect');
    backend.chooseFiles = async () => ['/home/you/pump.toml'];
    await user.click(getByRole('button', { name: 'Import…' }));
    await findByRole('region', { name: 'Describe a dialect' });
    expect(read).toHaveBeenCalledWith('/home/you/pump.toml');
    await user.click(await findByRole('radio', { name: 'File' }));
    await waitFor(() =>
      expect((getByRole('textbox', { name: 'Dialect file' }) as HTMLTextAreaElement).value).toMatch(/^format = 1/),
    );
    await waitFor(() => expect(getByRole('button', { name: 'Save' })).toBeEnabled());
    await user.click(getByRole('button', { name: 'Save' }));
    const saved = within(await findByRole('listitem', { name: /firmware$/i }));
    await user.click(saved.getByRole('button', { name: 'Export…' }));
    await findByText('Exported to /home/you/my-firmware.toml.');
    expect(written).toHaveBeenCalledWith('pumps', 'my-firmware', { path: '/home/you/my-firmware.toml', replace: true });
  });

  it('with an error says where it is, and is not saved', async () => {
    const { findByRole, findByText, getByRole, user } = await openDialects();
    await user.click(getByRole('button', { name: 'Describe a dialect…' }));
    await user.click(await findByRole('radio', { name: 'File' }));
    await user.clear(getByRole('textbox', { name: 'Dialect file' }));
    await user.type(getByRole('textbox', { name: 'Dialect file' }), 'format = 2');
    await findByText(/^Line 1: /);
    expect(getByRole('button', { name: 'Save' })).toBeDisabled();
    await user.click(getByRole('radio', { name: 'Form' }));
    await findByText('The file has an error. Correct it under File.');
  });
});
