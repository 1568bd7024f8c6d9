import { describe, expect, it } from 'vitest';

import { colourOf, colourText, colourValue, readColour } from './colour';

describe('a picked colour', () => {
  it.each([
    [undefined, '#ff8000'],
    ['hex', 'FF8000'],
    ['rgb', '255,128,0'],
    ['hsb', '30,100,100'],
    ['hs', '30,100'],
    ['xy', '0.543,0.407'],
    ['named rgb', 'rgb,255,128,0'],
    ['named hsv', 'hsv,30,100,100'],
    ['named xyz', 'xyz,0.543,0.407'],
    ['xy object', { x: 0.543, y: 0.407 }],
    ['hs object', { hue: 30, saturation: 100 }],
    ['short hs object', { h: 30, s: 100 }],
    ['rgb object', { r: 255, g: 128, b: 0 }],
    ['long rgb object', { red: 255, green: 128, blue: 0 }],
    ['rgb list', [255, 128, 0]],
  ])('is written in the notation %s', (notation, expected) => {
    const value = colourValue('#ff8000', notation);
    expect(value).toEqual(expected);
    // It is the same colour when it is read, as far as the digits go.
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt((colourOf(value, notation) ?? '').slice(at, at + 2), 16));
    expect(red).toBe(255);
    expect(Math.abs((green ?? 0) - 128)).toBeLessThanOrEqual(2);
    expect(blue).toBeLessThanOrEqual(8);
    // So it is when its text is typed.
    expect(readColour(colourText(value, notation), notation)).toEqual(expected);
  });

  it.each([
    ['#000000', 'hsb', '0,0,0'],
    ['#ffffff', 'hsb', '0,0,100'],
    ['#0000ff', 'hsb', '240,100,100'],
    ['#ff0080', 'hsb', '330,100,100'],
    ['#808080', 'hs', '0,0'],
    ['#000000', 'xy', '0.3127,0.329'],
    ['#ffffff', 'xy', '0.3127,0.329'],
    ['#ff0000', 'xy', '0.64,0.33'],
    ['#00ff00', 'xy', '0.3,0.6'],
    ['#0000ff', 'xy', '0.15,0.06'],
  ])('%s is in %s %s', (picked, notation, expected) => {
    expect(colourValue(picked, notation)).toBe(expected);
  });
});

describe('a typed colour', () => {
  it.each([
    ['1, 2, 3', 'rgb', '#010203'],
    ['#102030', 'hex', '#102030'],
    // White channels follow.
    ['10203040FF', 'hex', '#102030'],
    ['360,100,100', 'hsb', '#ff0000'],
    ['rgb,1,2,3', 'named rgb', '#010203'],
    ['1,2,3', 'named rgb', null],
    ['256,0,0', 'rgb', null],
    ['1,2', 'rgb', null],
    ['1.5,2,3', 'rgb', null],
    ['-1,2,3', 'rgb', null],
    ['361,0,0', 'hsb', null],
    ['0.3,1.1', 'xy', null],
    ['orange', 'hex', null],
    ['', 'xy', null],
  ])('%j in %s is %s', (typed, notation, expected) => {
    expect(colourOf(typed, notation)).toBe(expected);
  });

  it('of an object is the object, and any other text stays as it is', () => {
    expect(readColour(' 0.2 ,0.30', 'xy object')).toEqual({ x: 0.2, y: 0.3 });
    expect(readColour('blue', 'xy object')).toBe('blue');
    expect(readColour('1, 2 ,3', 'rgb')).toBe('1,2,3');
    expect(colourText({ x: 0.2, y: 0.3 }, 'xy object')).toBe('0.2, 0.3');
    expect(colourText('blue', 'xy object')).toBe('blue');
    expect(colourOf({ x: 0.2 }, 'xy object')).toBeNull();
    expect(colourText(undefined, 'rgb')).toBe('');
    expect(readColour('1, 2, 3', 'rgb list')).toEqual([1, 2, 3]);
    expect(colourText([1, 2, 3], 'rgb list')).toBe('1, 2, 3');
    expect(colourOf([1, 2], 'rgb list')).toBeNull();
    expect(colourOf([1, 2, 256], 'rgb list')).toBeNull();
    expect(readColour('blue', 'rgb list')).toBe('blue');
  });
});
