import { describe, expect, it } from 'vitest';

import { expectAccessible, openWindow } from '../../test/window';

describe('the first launch', () => {
  it('offers two controls and nothing else', async () => {
    const { findByRole, getAllByRole, queryByRole, container } = openWindow();
    await findByRole('button', { name: 'Try the demo fleet' });
    expect(getAllByRole('button').map((button) => button.textContent)).toEqual([
      'Try the demo fleet',
      'Connect to my broker',
    ]);
    expect(queryByRole('navigation')).toBeNull();
    await expectAccessible(container);
  });

  it('starts the demo fleet, says so meanwhile, and shows it', async () => {
    const { findByRole, findByText, backend, user } = openWindow();
    const start = backend.startDemo.bind(backend);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    backend.startDemo = () => held.then(start);
    await user.click(await findByRole('button', { name: 'Try the demo fleet' }));
    await findByText('Starting…');
    letGo();
    await findByRole('grid', { name: 'Devices' });
    await findByText('60', { selector: 'b' });
  });

  it('leads to the form of a connection', async () => {
    const { findByRole, user } = openWindow();
    await user.click(await findByRole('button', { name: 'Connect to my broker' }));
    await findByRole('heading', { name: 'Connect to a broker' });
    await findByRole('heading', { name: 'Files' });
  });

  it('says why the demo fleet did not start', async () => {
    const { findByRole, findByText, backend, user } = openWindow();
    backend.startDemo = () =>
      Promise.reject({ code: 'internal', message: 'No port is free.', hint: 'Close something.' });
    await user.click(await findByRole('button', { name: 'Try the demo fleet' }));
    await findByText('No port is free.');
    await findByRole('button', { name: 'Try the demo fleet' });
  });
});
