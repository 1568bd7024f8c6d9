import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { QUICK, openRollouts } from '../../test/rolloutWindow';
import { newRollout } from '../../test/rollouts';
import { expectAccessible, openFleet } from '../../test/window';

describe('the list', () => {
  it('teaches what a rollout is while there is none', async () => {
    const { findByText, container, getAllByRole, user, findByRole } = await openRollouts();
    await findByText('No rollout yet');
    await expectAccessible(container);
    await user.click(getAllByRole('button', { name: 'Start a rollout…' })[0] as HTMLElement);
    await findByRole('dialog', { name: 'New rollout' });
  });

  it('shows the progress of each rollout, and filters them by state', async () => {
    const { backend, findByRole, getByRole, queryByText, user, container, findByText } = await openRollouts();
    await backend.startRollout(newRollout({ name: 'Lights on' }));
    const link = await findByRole('link', { name: /Lights on Rollout 1/ });
    await waitFor(() => expect(link).toHaveTextContent('Finished'));
    await expectAccessible(container);
    await user.click(getByRole('button', { name: 'Stopped 0' }));
    await findByText('No rollout is stopped');
    expect(queryByText('Lights on')).toBeNull();
    await user.click(getByRole('button', { name: 'Finished 1' }));
    await findByText('Lights on');
  });

  it('is searched by number, name, command, target and connection', async () => {
    const { backend, findByRole, getByRole, queryByText, user, findByText } = await openRollouts();
    await backend.startRollout(newRollout({ name: 'Lights on' }));
    const target = { by: 'search' as const, search: 'tag:kitchen' };
    await backend.startRollout(newRollout({ name: 'Night shift', target }));
    await findByText('Night shift');
    await user.keyboard('/');
    const field = getByRole('textbox', { name: 'Search rollouts' });
    expect(field).toHaveFocus();
    for (const search of ['KITCHEN', 'shift night', 'led demo 2']) {
      await user.clear(field);
      await user.type(field, search);
      await waitFor(() => expect(queryByText('Lights on')).toBeNull());
      await findByText('Night shift');
    }
    await user.clear(field);
    await user.type(field, 'pump');
    await findByText('No results for “pump”');
    await user.keyboard('{Escape}');
    expect(field).not.toHaveFocus();
    await user.click(getByRole('button', { name: 'Clear the search' }));
    expect(field).toHaveFocus();
    await findByText('Lights on');
    await user.type(field, 'pump');
    await user.click(await findByRole('button', { name: 'Show all rollouts' }));
    await findByText('Lights on');
  });

  it('shows running and halted rollouts in the rail', async () => {
    const { backend, findByRole } = await openFleet({ rolloutSpeed: 1 });
    const halt = { above: { unit: 'members' as const, count: 0 }, after: 1, count_timeouts: true };
    await backend.startRollout(newRollout({ rate: 1 }));
    await findByRole('link', { name: /^Rollouts.*1 running/ });
    const target = { by: 'search' as const, search: 'is:offline' };
    await backend.startRollout(newRollout({ target, halt }));
    await findByRole('link', { name: /^Rollouts.*1 halted/ });
  });
});

describe('elsewhere', () => {
  it('says when a rollout halts or finishes', async () => {
    const { backend, findByText } = await openFleet(QUICK);
    await backend.startRollout(newRollout({ target: { by: 'devices', devices: ['bench-0001'] } }));
    await findByText(/Rollout 1, led on, finished/);
  });

  it('says when a stage has finished and waits for a person', async () => {
    const { backend, findByText } = await openFleet(QUICK);
    const target = { by: 'search' as const, search: 'is:online' };
    const stages = [
      { unit: 'devices' as const, count: 1 },
      { unit: 'percent' as const, percent: 100 },
    ];
    await backend.startRollout(newRollout({ target, stages, between: { then: 'ask' } }));
    await findByText(/^Rollout 1, led on, waits for you: stage 1 of 2 has finished\./);
  });

  it('shows the progress of the running one beside the fleet, where it can be paused and resumed', async () => {
    const { backend, findByRole, queryByRole, user, container } = await openFleet({ rolloutSpeed: 1 });
    expect(queryByRole('region', { name: /^Rollout/ })).toBeNull();
    const { id } = await backend.startRollout(newRollout({ rate: 1 }));
    const strip = within(await findByRole('region', { name: 'Rollout 1' }));
    expect(strip.getByRole('heading')).toHaveTextContent('led on, 60 devices');
    await expectAccessible(container);
    await user.click(strip.getByRole('button', { name: 'Pause' }));
    await user.click(await strip.findByRole('button', { name: 'Resume' }));
    await strip.findByRole('button', { name: 'Pause' });
    await backend.actOnRollout(id, 'stop');
    await waitFor(() => expect(queryByRole('region', { name: /^Rollout/ })).toBeNull());
  });

  it('asks before the window closes while a rollout runs, and not afterwards', async () => {
    const { backend, findByRole, user, getByRole } = await openFleet({ rolloutSpeed: 1 });
    const { id } = await backend.startRollout(newRollout({ rate: 1, name: 'Lights' }));
    await findByRole('link', { name: /^Rollouts.*1 running/ });
    await waitFor(() => {
      backend.requestClose();
      expect(getByRole('dialog', { name: 'Close while a rollout is running?' })).toHaveTextContent(
        'Lights (rollout 1)',
      );
    });
    await expectAccessible(getByRole('dialog', { name: 'Close while a rollout is running?' }));
    await user.click(getByRole('button', { name: 'Keep open' }));
    expect(backend.closed).toBe(false);
    await backend.actOnRollout(id, 'stop');
    await findByRole('link', { name: 'Rollouts' });
    await waitFor(() => {
      backend.requestClose();
      expect(backend.closed).toBe(true);
    });
  });

  it('is reached by keys and from the palette', async () => {
    const { user, findByRole, app, backend } = await openFleet({ rolloutSpeed: 1 });
    const { id } = await backend.startRollout(newRollout({ rate: 1 }));
    await findByRole('link', { name: /^Rollouts.*1 running/ });
    await user.keyboard('gr');
    expect(app.route.screen).toBe('rollouts');
    await user.keyboard('{Control>}k{/Control}');
    await user.type(await findByRole('combobox'), 'show rollout 1');
    await user.keyboard('{Enter}');
    await findByRole('heading', { name: /led on Rollout 1/ });
    await user.keyboard('p');
    await waitFor(async () => expect((await backend.rollout(id)).rollout.state).toBe('paused'));
  });
});
