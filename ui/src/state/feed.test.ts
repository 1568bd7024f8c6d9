import { describe, expect, it, vi } from 'vitest';

import type { Batch } from '../backend/bindings/Batch';
import { climbed, command } from '../test/commands';
import { Feed, merge, newer } from './feed';

function batch(sequence: number, given: Partial<Batch> = {}): Batch {
  return {
    sequence,
    now: Date.now(),
    connections: null,
    commands: [],
    more_commands: false,
    devices: [],
    changed_devices: [],
    device_states: [],
    rollouts: [],
    notices: [],
    ...given,
  };
}

describe('batches', () => {
  it('are merged: the later view of a command counts, and nothing is lost', () => {
    const one = merge(
      batch(1, {
        commands: [command(), command({ id: 'b' })],
        devices: ['demo'],
        changed_devices: [['demo', 'a']],
        more_commands: true,
        notices: [{ level: 'info', message: 'x', hint: null, connection: null }],
      }),
      batch(2, {
        commands: [climbed('accepted')],
        devices: ['demo', 'other'],
        changed_devices: [
          ['demo', 'a'],
          ['demo', 'b'],
        ],
      }),
    );
    expect(one.commands.map(({ id, state }) => [id, state])).toEqual([
      [command().id, 'accepted'],
      ['b', 'queued'],
    ]);
    expect(one).toMatchObject({ sequence: 2, devices: ['demo', 'other'], more_commands: true });
    expect(one.changed_devices).toHaveLength(2);
    expect(one.notices).toHaveLength(1);
  });

  it('keep commands apart that share an id on two devices', () => {
    const one = merge(batch(1, { commands: [command()] }), batch(2, { commands: [command({ device: 'other' })] }));
    expect(one.commands).toHaveLength(2);
  });

  it('are applied once a frame', () => {
    let frame: () => void = () => undefined;
    const feed = new Feed((run) => (frame = run));
    const listener = vi.fn();
    feed.on(listener);
    feed.take(batch(1, { commands: [command()] }));
    feed.take(batch(2, { commands: [climbed('sent')] }));
    expect(listener).not.toHaveBeenCalled();
    frame();
    expect(listener).toHaveBeenCalledOnce();
    expect(listener.mock.calls[0]?.[0]).toMatchObject({ sequence: 2, commands: [{ state: 'sent' }] });
    feed.take(batch(3));
    frame();
    expect(listener).toHaveBeenCalledTimes(2);
  });
});

describe('a slow answer', () => {
  it('does not undo changes from the feed', () => {
    const before = command({ changed_at: 5 });
    const after = climbed('accepted', { changed_at: 9 });
    expect(newer(after, before)).toBe(after);
    expect(newer(before, after)).toBe(after);
  });
});
