/**
 * Colours as devices write them. A notation is named by the schema of a command, beside `"format": "color"`; without a
 * name it is `#ff8000`. Red, green and blue are 0 … 255, a hue is 0 … 360 degrees, saturation and brightness are
 * 0 … 100 %, x and y are those of CIE 1931 for sRGB and its white (D65).
 */

import { isObject, nearest } from './json';

type Three = [number, number, number];

/** `read` gives the colour as red, green and blue; `write` is the value for it. */
interface Notation {
  write(colour: Three): unknown;
  read(numbers: number[]): Three | null;
  /** How many numbers it has. */
  count: number;
  /** What stands before them. */
  before?: string;
  /** The names of the numbers, where the value is an object. */
  names?: string[];
  /** The value is an array of the numbers. */
  isList?: boolean;
}

const RGB = { count: 3, write: (colour: Three) => colour.join(','), read: ofRgb };
const HSB = { count: 3, write: (colour: Three) => hsb(colour).join(','), read: ofHsb };
const HS = { count: 2, write: (colour: Three) => hsb(colour).slice(0, 2).join(','), read: ofHsb };
const XY = { count: 2, write: (colour: Three) => xy(colour).join(','), read: ofXy };

const NOTATIONS: Record<string, Notation> = {
  rgb: RGB,
  hsb: HSB,
  hs: HS,
  xy: XY,
  'named rgb': { ...RGB, before: 'rgb', write: (colour) => `rgb,${RGB.write(colour)}` },
  'named hsv': { ...HSB, before: 'hsv', write: (colour) => `hsv,${HSB.write(colour)}` },
  'named xyz': { ...XY, before: 'xyz', write: (colour) => `xyz,${XY.write(colour)}` },
  'xy object': object(XY, ['x', 'y'], xy),
  'hs object': object(HS, ['hue', 'saturation'], hsb),
  'short hs object': object(HS, ['h', 's'], hsb),
  'rgb object': object(RGB, ['r', 'g', 'b'], whole),
  'long rgb object': object(RGB, ['red', 'green', 'blue'], whole),
  'rgb list': { ...RGB, isList: true, write: whole },
};

function object(notation: Notation, names: string[], numbers: (colour: Three) => number[]): Notation {
  return { ...notation, names, write: (colour) => named(names, numbers(colour)) };
}

/** The value for a colour that was picked (`#rrggbb`). */
export function colourValue(picked: string, notation: unknown): unknown {
  const notated = NOTATIONS[String(notation)];
  if (notated !== undefined) return notated.write(ofHex(picked) ?? [0, 0, 0]);
  return notation === 'hex' ? picked.slice(1).toUpperCase() : picked;
}

/** What a typed colour means: its value, or the text itself where it is no colour in this notation. */
export function readColour(text: string, notation: unknown): unknown {
  const { names, isList, count = 0 } = NOTATIONS[String(notation)] ?? {};
  const numbers = names === undefined && isList !== true ? null : numbersIn(text, count);
  if (numbers === null) return text.trim().replace(/\s*,\s*/g, ',');
  return names === undefined ? numbers : named(names, numbers);
}

/** A value as text: an object as its numbers. */
export function colourText(value: unknown, notation: unknown): string {
  const { names, isList } = NOTATIONS[String(notation)] ?? {};
  if (isObject(value) && names !== undefined) return names.map((name) => String(value[name] ?? '')).join(', ');
  if (Array.isArray(value) && isList === true) return value.map(String).join(', ');
  return typeof value === 'string' ? value : '';
}

/** The colour of a value as `#rrggbb`; null where it is none in this notation. */
export function colourOf(value: unknown, notation: unknown): string | null {
  const notated = NOTATIONS[String(notation)];
  if (notated === undefined) {
    const colour = typeof value === 'string' ? ofHex(value) : null;
    return colour === null ? null : toHex(colour);
  }
  const { before, names, isList, count } = notated;
  let numbers: number[] | null;
  if (isList === true) numbers = Array.isArray(value) && value.length === count ? numbersOf(value) : null;
  else if (names === undefined) numbers = typeof value === 'string' ? numbersIn(value, count, before) : null;
  else numbers = isObject(value) ? numbersOf(names.map((name) => value[name])) : null;
  const colour = numbers === null ? null : notated.read(numbers);
  return colour === null ? null : toHex(colour);
}

function named(names: string[], numbers: number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, place) => [name, numbers[place] ?? 0]));
}

function numbersOf(values: unknown[]): number[] | null {
  const numbers = values.map((value) => nearest(value));
  return numbers.every((one) => typeof one === 'number') ? numbers : null;
}

function numbersIn(text: string, count: number, before?: string): number[] | null {
  const parts = text.split(',').map((part) => part.trim());
  if (before !== undefined && parts.shift() !== before) return null;
  const isNumber = (part: string) => /^\d+(\.\d+)?$/.test(part);
  return parts.length === count && parts.every(isNumber) ? parts.map(Number) : null;
}

/** White channels after the first six digits have no colour. */
function ofHex(text: string): Three | null {
  const found = /^#?([\da-f]{2})([\da-f]{2})([\da-f]{2})([\da-f]{2}){0,2}$/i.exec(text.trim());
  if (found === null) return null;
  const part = (place: number) => parseInt(found[place] ?? '0', 16);
  return [part(1), part(2), part(3)];
}

function toHex(colour: Three): string {
  return `#${colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}

function ofRgb(numbers: number[]): Three | null {
  return numbers.every((one) => Number.isInteger(one) && one <= 255) ? (numbers as Three) : null;
}

function whole(colour: Three): number[] {
  return [...colour];
}

function hsb([red, green, blue]: Three): Three {
  const most = Math.max(red, green, blue);
  const span = most - Math.min(red, green, blue);
  let sixth = 0;
  if (span > 0) {
    if (most === red) sixth = ((green - blue) / span + 6) % 6;
    else sixth = most === green ? (blue - red) / span + 2 : (red - green) / span + 4;
  }
  return [Math.round(sixth * 60) % 360, most === 0 ? 0 : Math.round((span / most) * 100), Math.round(most / 2.55)];
}

/** Without a brightness, as bright as it can be. */
function ofHsb([hue = 0, saturation = 0, brightness = 100]: number[]): Three | null {
  if (hue > 360 || saturation > 100 || brightness > 100) return null;
  const part = (offset: number) => {
    const at = (offset + hue / 60) % 6;
    const less = Math.max(0, Math.min(at, 4 - at, 1)) * (saturation / 100);
    return (brightness / 100) * (1 - less) * 255;
  };
  return [part(5), part(3), part(1)];
}

/** Of black, which has no chromaticity, that of white. */
function xy(colour: Three): [number, number] {
  const [red, green, blue] = colour.map((part) => linear(part / 255)) as Three;
  const x = 0.4124564 * red + 0.3575761 * green + 0.1804375 * blue;
  const y = 0.2126729 * red + 0.7151522 * green + 0.072175 * blue;
  const z = 0.0193339 * red + 0.119192 * green + 0.9503041 * blue;
  const sum = x + y + z;
  return sum === 0 ? [0.3127, 0.329] : [rounded(x / sum), rounded(y / sum)];
}

/** As bright as it can be. What no screen can show is the nearest that one can. */
function ofXy([x = 0, y = 0]: number[]): Three | null {
  if (x > 1 || y > 1) return null;
  if (y === 0) return [0, 0, 0];
  const [big, small] = [x / y, (1 - x - y) / y];
  const parts = [
    3.2406 * big - 1.5372 - 0.4986 * small,
    -0.9689 * big + 1.8758 + 0.0415 * small,
    0.0557 * big - 0.204 + 1.057 * small,
  ].map((part) => Math.max(0, part));
  const most = Math.max(...parts);
  return parts.map((part) => curved(part / most) * 255) as Three;
}

/** The transfer function of sRGB (IEC 61966-2-1), and back. */
function linear(part: number): number {
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}

function curved(part: number): number {
  return part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055;
}

function rounded(part: number): number {
  return Math.round(part * 10_000) / 10_000;
}
