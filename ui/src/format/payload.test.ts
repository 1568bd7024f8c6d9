import { describe, expect, it } from 'vitest';

import { cut, pieces } from './payload';
import { visible, visibleLines } from './text';

const joined = (payload: string, id: string | null = null) =>
  pieces(payload, id)
    .map((piece) => piece.text)
    .join('');

describe('a payload', () => {
  it('has each outer member on its own line', () => {
    expect(joined('{"id":"a","args":{"on":true,"n":1},"attempt":1}')).toBe(
      '{"id": "a",\n "args": {"on": true, "n": 1},\n "attempt": 1}',
    );
  });
  it('marks keys and the id', () => {
    expect(pieces('{"id":"a"}', 'a').map((piece) => piece.kind)).toEqual(['plain', 'key', 'plain', 'id', 'plain']);
  });
  it('keeps numbers as they came', () => expect(joined('{"n":1.10e400}')).toBe('{"n": 1.10e400}'));
  it('is not upset by what is broken off', () => expect(joined('{"message":"half')).toBe('{"message": "half'));
  it('is not upset by a comma in a string', () => expect(joined('{"a":"x,y:z"}')).toBe('{"a": "x,y:z"}'));
  it('stays as it is where it is no object', () =>
    expect(joined('SUCCESS: done, really')).toBe('SUCCESS: done, really'));
  it('is text, whatever it looks like', () => {
    expect(joined('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
  });
  it('is cut, but not inside a character', () => {
    expect(cut('abc', 5)).toEqual({ text: 'abc', left: 0 });
    expect(cut('ab😀cd', 3)).toEqual({ text: 'ab', left: 4 });
  });
});

describe('text of a device', () => {
  it('shows controls and what reverses or hides text', () => {
    expect(visible('a\u0000b\u001b[31m\u202ec\u200bd\n')).toBe('a\\u0000b\\u001b[31m\\u202ec\\u200bd\\n');
    expect(visible('\ud800')).toBe('\\ud800');
  });
  it('leaves letters of every script alone', () => expect(visible('Kühlhaus 冷蔵 😀')).toBe('Kühlhaus 冷蔵 😀'));
  it('keeps line ends where there are lines', () => expect(visibleLines('a\nb\r')).toBe('a\nb\\r'));
});
