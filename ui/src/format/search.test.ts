import { describe, expect, it } from 'vitest';

import type { SearchReading } from '../backend/bindings/SearchReading';
import { reading as read, countsOfFleet } from '../backend/fake/search';
import { before, halves, line, take, withCondition, without, type Search } from './search';

function taken(search: Search, all = false): Search {
  const text = before(search) + search.text;
  return take(search, read(text, text.length, countsOfFleet([])), all);
}

describe('the search field', () => {
  const typed = (text: string) => ({ tokens: [], text });

  it('takes a condition when something follows it', () => {
    expect(taken(typed('firmware:<2.5'))).toEqual(typed('firmware:<2.5'));
    expect(taken(typed('firmware:<2.5 '))).toEqual({ tokens: ['firmware:<2.5'], text: '' });
    expect(taken(typed('-tag:"cold store" '))).toEqual({ tokens: ['-tag:"cold store"'], text: '' });
  });
  it('takes all of them at once', () => {
    expect(taken(typed('is:offline kitchen led:on '))).toEqual({ tokens: ['is:offline', 'led:on'], text: 'kitchen' });
  });
  it('takes what is typed last when asked to', () => {
    expect(taken(typed('led:on'), true)).toEqual({ tokens: ['led:on'], text: '' });
  });
  it('keeps the spaces of a quoted text', () => {
    expect(taken(typed('led:on "cold  store"'))).toEqual({ tokens: ['led:on'], text: '"cold  store"' });
    expect(taken(typed('"cold  store"   led:on  west'))).toEqual({ tokens: ['led:on'], text: '"cold  store" west' });
  });
  it('leaves what cannot be understood', () => {
    expect(taken(typed('is:sideways led:on '))).toEqual(typed('is:sideways led:on '));
  });
  it('keeps the positions of conditions with other text between them', () => {
    const search = { tokens: ['tag:a'], text: 'or tag:b ' };
    expect(taken(search)).toEqual(search);
    expect(line(search)).toBe('tag:a or tag:b');
  });
  it('has one more condition for every device, whatever the alternatives are', () => {
    const check = (search: Search, expected: string) => expect(line(withCondition(search, 'is:online'))).toBe(expected);
    check({ tokens: ['tag:a'], text: 'pump' }, 'tag:a is:online pump');
    check({ tokens: ['tag:a'], text: 'or tag:b' }, 'is:online (tag:a or tag:b)');
    check({ tokens: [], text: 'tag:a OR tag:b' }, 'is:online (tag:a OR tag:b)');
    check({ tokens: ['led:on'], text: '(tag:a or (b or "c)"))' }, 'led:on is:online (tag:a or (b or "c)"))');
    check({ tokens: [], text: '"either or \\" or" order' }, 'is:online "either or \\" or" order');
  });
  it('has no alternative to a condition that is removed', () => {
    expect(without({ tokens: ['tag:a'], text: 'or tag:b' }, ['tag:a'])).toEqual(typed('tag:b'));
    expect(without({ tokens: ['tag:a', 'tag:c'], text: 'or tag:b' }, ['tag:a'])).toEqual({
      tokens: ['tag:c'],
      text: 'or tag:b',
    });
    expect(without({ tokens: ['tag:a'], text: 'order' }, ['tag:a'])).toEqual(typed('order'));
  });
  it('does not take the same condition twice', () => {
    expect(taken({ tokens: ['led:on'], text: 'led:on ' })).toEqual({ tokens: ['led:on'], text: '' });
  });
  it('knows its places behind the conditions before it', () => {
    const parts: SearchReading['parts'] = [
      { kind: 'field', from: 0, to: 6 },
      { kind: 'field', from: 7, to: 12 },
    ];
    const reading = { parts, error: null, completions: [] };
    expect(take({ tokens: ['led:on'], text: 'tag:x y' }, reading)).toEqual({ tokens: ['led:on', 'tag:x'], text: 'y' });
  });
  it('is one line for the engine', () => expect(line({ tokens: ['led:on'], text: ' kit ' })).toBe('led:on kit'));
  it('cuts a condition behind its colon', () => expect(halves('firmware:<2.5')).toEqual(['firmware:', '<2.5']));
});
