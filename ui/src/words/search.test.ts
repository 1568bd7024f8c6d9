import { describe, expect, it } from 'vitest';

import { halves, impossible, line, take } from './search';

const empty = { tokens: [], text: '' };

describe('the search field', () => {
  it('takes a token when a space follows it', () => {
    expect(take(empty, 'firmware:<2.5')).toEqual({ tokens: [], text: 'firmware:<2.5' });
    expect(take(empty, 'firmware:<2.5 ')).toEqual({ tokens: ['firmware:<2.5'], text: '' });
  });
  it('takes all of them at once', () => {
    expect(take(empty, 'is:offline kitchen led:on ')).toEqual({ tokens: ['is:offline', 'led:on'], text: 'kitchen' });
  });
  it('takes what is typed last when asked to', () => {
    expect(take(empty, 'led:on', true)).toEqual({ tokens: ['led:on'], text: '' });
  });
  it('leaves words that are no tokens', () => {
    expect(take(empty, 'colour:red is: ')).toEqual({ tokens: [], text: 'colour:red is: ' });
  });
  it('does not take the same token twice', () => {
    expect(take({ tokens: ['led:on'], text: '' }, 'led:on ').tokens).toEqual(['led:on']);
  });
  it('is one line for the engine', () => expect(line({ tokens: ['led:on'], text: ' kit ' })).toBe('led:on kit'));
  it('leaves a token out that is only begun', () => {
    expect(line({ tokens: [], text: 'is:off' })).toBe('');
    expect(line({ tokens: [], text: 'kit firmware:' })).toBe('kit');
    expect(line({ tokens: [], text: 'state:tim' })).toBe('');
    expect(line({ tokens: [], text: 'state:timed-out' })).toBe('state:timed-out');
    expect(line({ tokens: [], text: 'is:offline firmware:<2' })).toBe('is:offline firmware:<2');
  });
  it('knows a token that no device can fit', () => {
    const check = (tokens: string[], said: string | null) => expect(impossible({ tokens, text: '' })).toBe(said);
    check([], null);
    check(['is:online', 'LED:on', 'state:timed-out', 'state:timed_out', 'firmware:<2', 'tag:x'], null);
    check(['is:online', 'is:sideways'], 'No device can have is:sideways: there are is:online, is:offline, is:unknown.');
    check(['led:Red'], 'No device can have led:Red: there are led:on, led:off.');
    expect(impossible({ tokens: ['state:done'], text: '' })).toMatch(/state:queued, .*state:cancelled\.$/);
  });
  it('cuts a token behind its colon', () => expect(halves('firmware:<2.5')).toEqual(['firmware:', '<2.5']));
});
