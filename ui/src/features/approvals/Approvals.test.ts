import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { newRollout } from '../../test/rollouts';
import { expectAccessible, openFleet } from '../../test/window';
import { BO } from '../../backend/fake/approvalCalls';

const RESTART = { ...newRollout().command, name: 'restart', args: '{}' };

/** The page of a rollout that waits for approval. */
async function openWaiting() {
  const window = await openFleet({ rolloutSpeed: 40, needsApproval: true });
  const view = await window.backend.startRollout(newRollout({ command: RESTART }));
  await window.user.click(window.getByRole('link', { name: /^Rollouts/ }));
  await window.user.click(await window.findByRole('link', { name: new RegExp(`Rollout ${view.number}`) }));
  const page = within(await window.findByRole('region', { name: 'Approval' }));
  return { ...window, page };
}

describe('a rollout that waits for approval', () => {
  it('sends nothing, and offers its request', async () => {
    const { page, backend, user, getByRole, getAllByText, findByText, queryByRole, container } = await openWaiting();
    expect(getAllByText('Waiting for approval').length).toBeGreaterThan(0);
    expect(queryByRole('button', { name: 'Start next stage' })).toBeNull();
    expect(queryByRole('button', { name: 'Pause' })).toBeNull();
    expect(getByRole('button', { name: 'Stop…' })).toBeVisible();
    await user.click(page.getByRole('button', { name: 'Save approval request…' }));
    await user.type(getByRole('textbox', { name: 'Path of the file to write' }), '/home/you/r.wilco-request');
    await user.click(getByRole('button', { name: 'Save' }));
    await findByText('Approval request written to /home/you/r.wilco-request.');
    expect((await backend.rollouts())[0]).toMatchObject({ waits_for: { what: 'approval' }, counts: { sent: 0 } });
    await expectAccessible(container);
  });

  it('starts once a valid approval is imported, and says who gave it', async () => {
    const { page, backend, user, getByRole, findByText, findByRole, container } = await openWaiting();
    backend.receiveAnswer('/home/you/r.wilco-approval', 'approved');
    await user.click(page.getByRole('button', { name: 'Import approval…' }));
    const path = getByRole('textbox', { name: 'Path of the file to read' });
    await user.type(path, '/home/you/r.wilco-approval');
    await user.click(getByRole('button', { name: 'Import' }));
    expect(await findByRole('alert')).toHaveTextContent('which is not trusted here. Add it in Settings.');
    expect((await backend.rollouts())[0]?.waits_for).toEqual({ what: 'approval' });
    await backend.trustInstallation('Bo', BO.public_key);
    await user.click(getByRole('button', { name: 'Import' }));
    await findByText('Approved by Bo');
    expect(getByRole('region', { name: 'Approval' })).toHaveTextContent('seen on the plan');
    expect(getByRole('region', { name: 'Approval' })).toHaveTextContent(BO.fingerprint);
    await waitFor(async () => expect((await backend.rollouts())[0]?.state).toBe('finished'));
    await expectAccessible(container);
  });

  it('imports an answer although its page was left meanwhile', async () => {
    const { app, page, backend, user, getByRole, queryByRole } = await openWaiting();
    await backend.trustInstallation('Bo', BO.public_key);
    backend.receiveAnswer('/home/you/r.wilco-approval', 'approved');
    await user.click(page.getByRole('button', { name: 'Import approval…' }));
    await user.type(getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/r.wilco-approval');
    const imported = backend.importApproval.bind(backend);
    let arrive = () => {};
    const held = new Promise<void>((resolve) => (arrive = resolve));
    vi.spyOn(backend, 'importApproval').mockImplementation(async (...given) => {
      await held;
      return imported(...given);
    });
    await user.click(getByRole('button', { name: 'Import' }));
    app.route.go('fleet');
    await waitFor(() => expect(queryByRole('region', { name: 'Approval' })).toBeNull());
    arrive();
    await waitFor(async () => expect((await backend.rollouts())[0]?.state).toBe('finished'));
  });

  it('is stopped where it is declined', async () => {
    const { page, backend, user, getByRole, findByText } = await openWaiting();
    await backend.trustInstallation('Bo', BO.public_key);
    backend.receiveAnswer('/home/you/no', 'declined');
    await user.click(page.getByRole('button', { name: 'Import approval…' }));
    await user.type(getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/no');
    await user.click(getByRole('button', { name: 'Import' }));
    await findByText('Declined by Bo');
    expect((await backend.rollouts())[0]).toMatchObject({ state: 'stopped', counts: { succeeded: 0 } });
  });
});

describe('the review of a request', () => {
  async function openReview() {
    const window = await openFleet();
    window.app.route.go('approval');
    await window.findByRole('heading', { name: 'Approval request' });
    return window;
  }

  it('says what would happen, and signs exactly that', async () => {
    const { backend, user, getByRole, findByRole, getByText, findByText, container } = await openReview();
    backend.receiveRequest('/home/you/r.wilco-request');
    const answered = vi.spyOn(backend, 'answerApprovalRequest');
    await user.type(getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/r.wilco-request');
    await user.click(getByRole('button', { name: 'Open' }));
    await findByRole('heading', { name: 'Wilco sends restart to 300 devices on Rotterdam cold chain.' });
    expect(getByText('mqtts://broker.example.net:8883')).toBeVisible();
    expect(getByText('new firmware')).toBeVisible();
    expect(getByText(/Not trusted here. Check who sent it\./)).toBeVisible();
    const own = getByRole('heading', { name: 'Request to pump-1 (Wilco)' }).closest('.wire') as HTMLElement;
    expect(own).toHaveTextContent('pump-1/req');
    expect(own).toHaveTextContent('"command": "restart", "args": {}');
    expect(within(own).getByText('"{id}"', { selector: 'mark' })).toBeVisible();
    const other = getByRole('heading', { name: 'Request to attic (Tasmota)' }).closest('.wire') as HTMLElement;
    expect(other).toHaveTextContent('cmnd/attic/Restart');
    await user.click(getByText('300 devices'));
    expect(getByText('pump-2')).toBeVisible();
    expect(getByText('298 more are in the file.')).toBeVisible();
    await expectAccessible(container);
    await user.type(getByRole('textbox', { name: 'Note' }), 'seen on the plan');
    await user.type(getByRole('textbox', { name: 'Path of the file to write' }), '/home/you/r.wilco-approval');
    await user.click(getByRole('button', { name: 'Approve' }));
    await findByText(/Approved rollout 3 of Bo on desk-2\./);
    expect(answered.mock.calls[0]?.[0]).toEqual({
      request: '/home/you/r.wilco-request',
      sha256: 'ab'.repeat(32),
      verdict: 'approved',
      note: 'seen on the plan',
    });
  });

  it('offers no answer to a request that cannot be answered here', async () => {
    const { backend, user, getByRole, findByText, queryByRole } = await openReview();
    backend.receiveRequest('/home/you/late', { refused: 'This request has expired.' });
    await user.type(getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/late');
    await user.click(getByRole('button', { name: 'Open' }));
    await findByText('This request has expired.');
    expect(queryByRole('button', { name: 'Approve' })).toBeNull();
    expect(queryByRole('button', { name: 'Decline' })).toBeNull();
  });
});

it('adds an installation by its file, once its fingerprint was seen, and removes it', async () => {
  const { backend, user, getByRole, findByRole, findByText, getByText, queryByRole, container } = await openFleet();
  await user.click(getByRole('link', { name: 'Settings' }));
  await findByText(/^you on this-computer\. Fingerprint: 3f2a/);
  backend.receiveIdentity('/home/you/bo.wilco-identity');
  await user.click(getByRole('button', { name: 'Add…' }));
  const dialog = within(await findByRole('dialog', { name: 'Add an installation' }));
  await user.type(dialog.getByRole('textbox', { name: 'Path of the file to read' }), '/home/you/bo.wilco-identity');
  await user.click(dialog.getByRole('button', { name: 'Open' }));
  expect(await dialog.findByText(BO.fingerprint)).toBeVisible();
  expect(await backend.trustedInstallations()).toEqual([]);
  await user.click(dialog.getByRole('button', { name: 'Add' }));
  const list = await findByRole('list', { name: 'Installations that may approve' });
  expect(list).toHaveTextContent('Bo on desk-2');
  expect(getByText(BO.fingerprint)).toBeVisible();
  await expectAccessible(container);
  await user.click(getByRole('button', { name: 'Remove Bo on desk-2' }));
  await waitFor(() => expect(queryByRole('list', { name: 'Installations that may approve' })).toBeNull());
  expect(await backend.trustedInstallations()).toEqual([]);
});
