/** Switches the LEDs of devices in the list without selecting the device. */

import { createContext } from 'svelte';

import type { DeviceRow } from '../../backend/bindings/DeviceRow';
import { pressRequests, requestedState } from '../../format/led';
import { toSend } from '../../state/inspected.svelte';
import type { Notices } from '../../state/notices.svelte';
import type { Sending } from '../../state/sending.svelte';

/** A command that was sent is shown in its row within this time, milliseconds. */
const SHOWN_WITHIN = 1_000;

/** The state that a press requested, before its command is seen. */
interface Pressed {
  on: boolean;
  /** Its command, once there is one. */
  id: string | null;
}

export class RowLeds {
  /** The latest press on each device. */
  #pressed = $state.raw<ReadonlyMap<string, Pressed>>(new Map());
  /** The presses that are still to be sent to each device, so that they are sent in order. */
  readonly #queues = new Map<string, Pressed[]>();

  constructor(
    readonly sending: Sending,
    readonly notices: Notices,
  ) {}

  /** The requested state that the device has not confirmed; nothing without one. */
  wanted(row: DeviceRow): boolean | null {
    const last = row.last_command;
    const pressed = this.#pressed.get(placeOf(row));
    if (pressed !== undefined && (pressed.id === null || pressed.id !== last?.id)) return pressed.on;
    return last?.command === 'led' && !last.final ? requestedState(last) : null;
  }

  /** The state that a press requests. */
  next(row: DeviceRow): boolean {
    return pressRequests(this.wanted(row), row.led);
  }

  async flip(row: DeviceRow): Promise<void> {
    const place = placeOf(row);
    const pressed: Pressed = { on: this.next(row), id: null };
    this.#note(place, pressed);
    const queue = this.#queues.get(place);
    if (queue !== undefined) return void queue.push(pressed);
    const own = [pressed];
    this.#queues.set(place, own);
    for (let next = own[0]; next !== undefined; next = own[0]) {
      const id = await this.#send(row, next.on);
      own.shift();
      // What followed was meant for a device that had been sent this.
      if (id === null) own.length = 0;
      this.#sent(place, next, id);
    }
    this.#queues.delete(place);
  }

  /** The command's id; nothing where it was not sent. */
  async #send({ connection, device }: DeviceRow, on: boolean): Promise<string | null> {
    try {
      const sent = await this.sending.send(toSend(connection, device, 'led', { on }));
      return sent?.ids[0] ?? null;
    } catch (reason) {
      this.notices.reportError(reason);
      return null;
    }
  }

  #sent(place: string, pressed: Pressed, id: string | null): void {
    if (id === null) return this.#note(place, null);
    if (this.#pressed.get(place) !== pressed) return;
    const sent = { ...pressed, id };
    this.#note(place, sent);
    setTimeout(() => {
      if (this.#pressed.get(place) === sent) this.#note(place, null);
    }, SHOWN_WITHIN);
  }

  #note(place: string, pressed: Pressed | null): void {
    const all = new Map(this.#pressed);
    if (pressed === null) all.delete(place);
    else all.set(place, pressed);
    this.#pressed = all;
  }
}

export const [getRowLeds, setRowLeds] = createContext<RowLeds>();

function placeOf({ connection, device }: DeviceRow): string {
  return JSON.stringify([connection, device]);
}
