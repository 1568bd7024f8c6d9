import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandDetail } from '../backend/bindings/CommandDetail';
import type { CommandState } from '../backend/bindings/CommandState';
import type { CommandView } from '../backend/bindings/CommandView';
import type { HistoryPage } from '../backend/bindings/HistoryPage';
import type { HistoryQuery } from '../backend/bindings/HistoryQuery';
import { view } from '../backend/fake/connections';
import { command } from '../test/commands';
import { sendingOver } from '../test/sending';
import { engineTime } from './clock.svelte';
import { History } from './history.svelte';
import { FILTERS, NEEDS_ATTENTION_NOW, type Filter } from './historyFilters';
import { Route } from './route.svelte';

beforeEach(() => void vi.useFakeTimers({ now: 2_000_000 }));
afterEach(() => void vi.useRealTimers());

/** The command that was asked `n` milliseconds after the test's first. */
function nth(n: number, given: Partial<CommandView> = {}): CommandView {
  return command({ id: `c${n}`, queued_at: 1_000_000 + n, changed_at: 1_000_000 + n, ...given });
}

/** Commands from one to another, newest first. */
function run(newest: number, oldest: number): CommandView[] {
  return Array.from({ length: newest - oldest + 1 }, (_, i) => nth(newest - i));
}

/** A backend that answers when the test says so, in any order. */
function slowBackend() {
  const asked: HistoryQuery[] = [];
  const answers: { resolve: (page: HistoryPage) => void; reject: (reason: unknown) => void }[] = [];
  const backend = {
    history: (query: HistoryQuery) => {
      asked.push(query);
      return new Promise<HistoryPage>((resolve, reject) => answers.push({ resolve, reject }));
    },
    command: vi.fn(async (): Promise<CommandDetail> => Promise.reject(new Error('not asked for'))),
    cancel: vi.fn(async () => undefined),
  };
  const history = new History(backend as unknown as Backend, sendingOver(backend as unknown as Backend), new Route());
  const answer = async (question: number, commands: CommandView[], rest: Partial<HistoryPage> = {}) => {
    answers[question]?.resolve({ commands, next: null, total: commands.length, matching: null, ...rest });
    await vi.advanceTimersByTimeAsync(0);
  };
  const refuse = async (question: number) => {
    answers[question]?.reject(new Error('The disk is full.'));
    await vi.advanceTimersByTimeAsync(0);
  };
  const tell = (commands: CommandView[], given: Partial<Batch> = {}) =>
    history.take({
      sequence: 1,
      now: 0,
      connections: null,
      commands,
      more_commands: false,
      devices: [],
      changed_devices: [],
      device_states: [],
      rollouts: [],
      notices: [],
      ...given,
    });
  const ids = () => history.rows.map(({ id }) => id);
  return { backend, history, asked, answer, refuse, tell, ids };
}

/** A history of which a page has been read. */
async function opened(commands: CommandView[], rest: Partial<HistoryPage> = {}) {
  const slow = slowBackend();
  slow.history.show('demo');
  await slow.answer(0, commands, rest);
  return slow;
}

describe('a list that is read', () => {
  it('is left alone where more has changed than is told, and says so until somebody goes back', async () => {
    const { history, asked, tell, answer, ids } = await opened(run(3, 1));
    history.atTop = false;
    tell([], { more_commands: true });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(1);
    expect(history.hasNewer).toBe(true);
    history.showNewest();
    await answer(1, run(9, 1));
    expect(ids()).toHaveLength(9);
    expect(history.hasNewer).toBe(false);
  });

  it('is left alone while a command is unfolded in it, and follows again once it is folded', async () => {
    const { history, asked, tell } = await opened(run(3, 1));
    history.unfold(history.rows[1] ?? null);
    tell([], { more_commands: true });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(1);
    history.unfold(null);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(2);
  });

  it('shows how the unfolded command stands, though the feed had no room for it', async () => {
    const { backend, history, tell } = await opened(run(3, 1));
    const ended = nth(2, { state: 'succeeded', final: true, changed_at: 1_000_500 });
    const detail = { command: nth(2), events: [], request: null, request_is: 'planned' as const, shell_line: null };
    backend.command.mockResolvedValue(detail as unknown as CommandDetail);
    history.unfold(history.rows[1] ?? null);
    await vi.advanceTimersByTimeAsync(1_000);
    backend.command.mockResolvedValue({ ...detail, command: ended } as unknown as CommandDetail);
    tell([], { more_commands: true });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(history.rows[1]?.state).toBe('succeeded');
  });

  it('is read again at its top where more has changed than is told, one question after the other', async () => {
    const { asked, tell, answer, ids } = await opened(run(3, 1));
    for (let i = 0; i < 20; i++) {
      tell([], { more_commands: true });
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(asked).toHaveLength(2);
    await answer(1, run(9, 1));
    expect(ids()).toHaveLength(9);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toHaveLength(3);
  });

  it('has no hole where it is read again while a page is on its way', async () => {
    const { history, asked, tell, answer, ids } = await opened(run(300, 201), { next: 'second' });
    history.more();
    await answer(1, run(200, 101), { next: 'third' });
    history.more();
    tell([], { more_commands: true });
    expect(asked).toHaveLength(3);
    await answer(2, run(100, 1));
    expect(ids()).toEqual(run(300, 1).map(({ id }) => id));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked[3]?.cursor).toBeNull();
    history.filterBy(history.filter, 'kitchen-0417');
    await answer(4, run(300, 201), { next: 'second' });
    await answer(3, run(9, 1));
    expect(ids()).toEqual(run(300, 201).map(({ id }) => id));
  });

  it('knows what was told while it was on its way', async () => {
    const { history, tell, answer, ids } = slowBackend();
    history.show('demo');
    tell([nth(2, { state: 'sent', changed_at: 1_000_100 }), nth(4)]);
    await answer(0, run(3, 1));
    expect(ids()).toEqual(['c4', 'c3', 'c2', 'c1']);
    expect(history.rows[2]?.state).toBe('sent');
  });

  it('begins at its top with another filter', async () => {
    const { history, tell, answer, ids } = await opened(run(3, 1));
    const { toTop } = history;
    history.atTop = false;
    history.filterBy(history.filter, 'kitchen-0417');
    await answer(1, run(3, 1));
    expect(history.toTop).toBeGreaterThan(toTop);
    tell([nth(4)]);
    expect(ids()).toEqual(['c4', 'c3', 'c2', 'c1']);
  });

  it('stays until what fits another filter has been read', async () => {
    const { history, tell, answer, ids } = await opened(run(3, 1));
    history.filterBy(NEEDS_ATTENTION_NOW);
    tell([nth(4), nth(2, { state: 'sent' })]);
    expect(ids()).toEqual(['c3', 'c2', 'c1']);
    await answer(1, []);
    expect(ids()).toEqual([]);
  });

  it('is requested again after it could not be read', async () => {
    const { history, tell, answer, refuse } = slowBackend();
    history.show('demo');
    await refuse(0);
    expect(history.failure).not.toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    tell([]);
    await answer(1, run(3, 1));
    expect(history.failure).toBeNull();
    expect(history.rows).toHaveLength(3);
  });
});

describe('new commands in the meantime', () => {
  it('is counted once for each command, however often it changes', async () => {
    const { history, tell, answer } = await opened(run(3, 1));
    history.atTop = false;
    for (const state of ['queued', 'sent', 'at_broker', 'succeeded'] as const) tell([nth(4, { state })]);
    tell([nth(5)]);
    expect(history.waiting).toBe(2);
    history.atTop = true;
    history.catchUp();
    await answer(1, run(5, 1));
    expect(history.waiting).toBe(0);
    history.atTop = false;
    tell([nth(5, { state: 'sent' })]);
    expect(history.waiting).toBe(0);
  });

  it('is shown when the command that was read is folded at the top', async () => {
    const { history, tell, answer, ids } = await opened(run(3, 1));
    history.unfold(history.rows[0] ?? null);
    tell([nth(4)]);
    expect(history.hasNewer).toBe(true);
    history.unfold(null);
    await answer(1, run(4, 1));
    expect(ids()).toEqual(['c4', 'c3', 'c2', 'c1']);
    expect(history.waiting).toBe(0);
  });
});

describe('a filtered list', () => {
  const FAILED = FILTERS.find(({ name }) => name === 'Failed or rejected') as Filter;
  const IN_FLIGHT = FILTERS.find(({ name }) => name === 'In flight') as Filter;
  const ended = (n: number, state: CommandState) => nth(n, { state, final: true, changed_at: 1_000_900 });

  async function filtered(filter: Filter, commands: CommandView[], rest: Partial<HistoryPage> = {}) {
    const slow = slowBackend();
    slow.history.filterBy(filter);
    await slow.answer(0, commands, { total: 50, ...rest });
    return slow;
  }

  it('takes what begins to fit in at its place, though others were asked later', async () => {
    const { history, tell, ids } = await filtered(FAILED, [ended(9, 'failed'), ended(2, 'failed')], { matching: 2 });
    history.active = 1;
    tell([ended(5, 'failed'), nth(7, { state: 'sent' })]);
    expect(ids()).toEqual(['c9', 'c5', 'c2']);
    expect(history.matching).toBe(3);
    expect(history.rows[history.active]?.id).toBe('c2');
  });

  it('lets go what no longer fits, and counts what is left', async () => {
    const { history, tell, ids } = await filtered(IN_FLIGHT, run(3, 1), { matching: 3 });
    tell([ended(2, 'succeeded')]);
    expect(ids()).toEqual(['c3', 'c1']);
    expect(history.matching).toBe(2);
    expect(history.total).toBe(50);
  });

  it('keeps what no longer fits while somebody reads, and lets it go after', async () => {
    const { history, tell, ids } = await filtered(IN_FLIGHT, run(3, 1), { matching: 3 });
    history.unfold(history.rows[1] ?? null);
    tell([ended(2, 'succeeded')]);
    expect(ids()).toEqual(['c3', 'c2', 'c1']);
    expect(history.rows[1]?.state).toBe('succeeded');
    history.unfold(null);
    expect(ids()).toEqual(['c3', 'c1']);
  });

  it('says of nothing that it waits that no longer fits', async () => {
    const { history, tell } = await filtered(IN_FLIGHT, run(3, 1));
    history.atTop = false;
    tell([nth(4)]);
    expect(history.waiting).toBe(1);
    tell([ended(4, 'succeeded')]);
    expect(history.waiting).toBe(0);
  });

  it('leaves what is older to its page, also within a millisecond', async () => {
    const late = [nth(5, { id: 'e' }), nth(5, { id: 'c' })];
    const { tell, ids } = await filtered(IN_FLIGHT, late, { next: 'second' });
    tell([nth(5, { id: 'b' }), nth(5, { id: 'd' }), nth(4)]);
    expect(ids()).toEqual(['e', 'd', 'c']);
  });

  it('goes back no further than the badge that leads to it counts', async () => {
    vi.setSystemTime(1_000_005 + 3_600_000);
    const { asked, tell, ids } = await filtered(NEEDS_ATTENTION_NOW, [ended(7, 'failed')]);
    expect(asked[0]?.needs_attention).toBe(true);
    // What counts is when a command ended, however long it had waited.
    const at = (finished_at: number) => ({ finished_at });
    tell([
      { ...ended(4, 'failed'), ...at(1_000_004) },
      { ...ended(1, 'timed_out'), ...at(1_000_006) },
    ]);
    expect(ids()).toEqual(['c7', 'c1']);
  });

  it('goes back by the engine’s time, whatever the computer’s clock was set to', async () => {
    onTestFinished(() => engineTime.take(Date.now()));
    vi.setSystemTime(1_000_005 + 3_600_000 + 86_400_000);
    engineTime.take(1_000_005 + 3_600_000);
    const { tell, ids } = await filtered(NEEDS_ATTENTION_NOW, []);
    tell([
      { ...ended(4, 'failed'), finished_at: 1_000_004 },
      { ...ended(1, 'timed_out'), finished_at: 1_000_006 },
    ]);
    expect(ids()).toEqual(['c1']);
  });

  it('counts no command that was counted when it was read', async () => {
    const { history, tell } = await filtered(FAILED, [ended(2, 'failed')]);
    tell([ended(5, 'failed')]);
    expect(history.total).toBe(50);
  });

  it('knows how many commands are kept from the connection that counts them', async () => {
    const { history, tell } = await opened(run(3, 1));
    const counts = { queued: 0, held: 0, in_flight: 0, needs_attention: 0, kept: 7 };
    tell([], { connections: [view({ id: 'demo', counts })] });
    expect(history.total).toBe(7);
  });
});

describe('the device that it is filtered by', () => {
  it('is of one connection, and forgotten with another', async () => {
    const { history, asked } = await opened(run(3, 1));
    history.filterBy(history.filter, 'kitchen-0417');
    history.show('demo');
    expect(history.device).toBe('kitchen-0417');
    history.show('bench');
    expect(asked.at(-1)).toMatchObject({ connection: 'bench', device: null });
  });

  it('comes back with its own connection only', async () => {
    const { history, asked } = slowBackend();
    history.restore('demo', history.filter, 'kitchen-0417');
    expect(asked).toEqual([]);
    history.show('demo');
    expect(asked.at(-1)).toMatchObject({ connection: 'demo', device: 'kitchen-0417' });
    history.restore('demo', history.filter, 'kitchen-0417');
    history.show('bench');
    expect(asked.at(-1)).toMatchObject({ connection: 'bench', device: null });
  });
});

describe('the unfolded command', () => {
  it('is shown once it can be read, though it could not be before', async () => {
    const { backend, history, tell } = await opened(run(3, 1));
    history.unfold(history.rows[1] ?? null);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(history.unfolded.detailFailure).not.toBeNull();
    const detail = { command: nth(2), events: [], request: null, request_is: 'planned' as const, shell_line: null };
    backend.command.mockResolvedValue(detail as unknown as CommandDetail);
    tell([nth(2, { state: 'sent' })]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(history.unfolded.detail).toBe(detail);
    expect(history.unfolded.detailFailure).toBeNull();
  });

  it('has nothing to do with another that could not be stopped', async () => {
    const { backend, history } = await opened(run(3, 1));
    backend.cancel.mockRejectedValue(new Error('It has ended.'));
    history.unfold(history.rows[1] ?? null);
    const stopped = history.unfolded.stop(nth(2));
    history.unfold(history.rows[0] ?? null);
    await stopped;
    expect(history.unfolded.stopFailure).toBeNull();
    await history.unfolded.stop(nth(3));
    expect(history.unfolded.stopFailure).not.toBeNull();
  });
});
