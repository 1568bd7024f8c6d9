import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Backend } from '../backend/backend';
import type { Batch } from '../backend/bindings/Batch';
import type { CommandDetail } from '../backend/bindings/CommandDetail';
import type { CommandView } from '../backend/bindings/CommandView';
import type { HistoryPage } from '../backend/bindings/HistoryPage';
import type { HistoryQuery } from '../backend/bindings/HistoryQuery';
import { command } from '../test/commands';
import { History } from './history.svelte';

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
  const history = new History(backend as unknown as Backend);
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
      connections: null,
      commands,
      more_commands: false,
      devices: [],
      changed_devices: [],
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
    const detail = { command: nth(2), events: [], request: null, shell_line: null };
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

  it('is asked for again after it could not be read', async () => {
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

describe('what is new meanwhile', () => {
  it('is counted once for each command, however often it changes', async () => {
    const { history, tell, answer } = await opened(run(3, 1));
    history.atTop = false;
    for (const state of ['queued', 'sent', 'at_broker', 'succeeded']) tell([nth(4, { state })]);
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
