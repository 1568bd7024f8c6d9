import { describe, expect, it } from 'vitest';

import { command } from '../test/commands';
import { certificateText } from './certificate';
import { detail, ladderName, title } from './command';
import { bytes, counted, rate } from './count';
import { linkStory } from './link';

describe('commands', () => {
  it.each([
    [command(), 'led on', 'on'],
    [command({ command: 'restart', args: JSON.stringify({}) }), 'restart', ''],
    [
      command({ command: 'config.set', args: JSON.stringify({ changes: { temp_high_c: 7.5 }, apply: 'now' }) }),
      'config.set',
      'temp_high_c 7.5',
    ],
    [
      command({ command: 'config.set', args: JSON.stringify({ changes: { a: 1, b: 2 }, apply: 'restart' }) }),
      'config.set',
      '2 changes, on next restart',
    ],
    [command({ command: 'identify', args: JSON.stringify({ seconds: 10 }) }), 'identify', 'seconds 10'],
    [command({ command: 'led', args: JSON.stringify({ on: 'maybe' }) }), 'led', 'on maybe'],
    [command({ command: 'text', args: JSON.stringify({ text: 'light: on' }) }), '“light: on”', '“light: on”'],
  ])('%# are titled', (given, head, tail) => {
    expect(title(given)).toBe(head);
    expect(detail(given)).toBe(tail);
  });
  it('name their ladder', () => expect(ladderName(command({ state: 'succeeded' }))).toBe('led on: Succeeded'));
});

describe('numbers', () => {
  it('are grouped and agree with their noun', () => {
    expect(counted(1, 'device')).toBe('1 device');
    expect(counted(8_046, 'device')).toBe('8,046 devices');
  });
  it('are rates and sizes', () => {
    expect([rate(0), rate(0.44), rate(1_612)]).toEqual(['0/s', '0.4/s', '1,612/s']);
    expect([bytes(186), bytes(204_800)]).toEqual(['186 B', '204.8 kB']);
  });
});

describe('connections', () => {
  it('say what is done about it', () => {
    const link = { state: 'waiting', message: 'Refused.', hint: 'Check.', retry_at: 5_000 } as const;
    expect(linkStory(link, 1_000)).toEqual({ what: 'Refused.', then: 'Check.', next: 'Next attempt in 4.0 s.' });
    expect(linkStory({ state: 'online', since: 0 }, 0)).toBeNull();
  });
  it('say how long a certificate is good for', () => {
    const day = 86_400_000;
    expect(certificateText(86.5 * day, 0)).toEqual({ words: '86 days left', grade: 'good' });
    expect(certificateText(day / 2, 0)).toEqual({ words: 'expires today', grade: 'soon' });
    expect(certificateText(0, 3.5 * day)).toEqual({ words: 'expired 3 days ago', grade: 'over' });
  });
});
