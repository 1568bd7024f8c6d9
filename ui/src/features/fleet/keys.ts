/** The keys of the device list. */

import { getConnections } from '../../state/connections.svelte';
import { getFleet } from '../../state/fleet.svelte';
import { getInspected } from '../../state/inspected.svelte';
import { getSelection } from '../../state/selection.svelte';

interface Places {
  /** Lines of one page. */
  page(): number;
  /** Scrolls to a line and selects its device. */
  goTo(line: number): void;
  /** Scrolls to a line and moves the focus there without changing the selection. */
  step(line: number): void;
  /** The next list is not there yet: its first line or its last is meant. */
  await(place: number | 'last'): void;
  isAwaiting(): boolean;
  toHeads(): void;
}

export class ListKeys {
  readonly connections = getConnections();
  readonly fleet = getFleet();
  readonly inspected = getInspected();
  readonly selection = getSelection();

  constructor(readonly places: Places) {}

  onkeydown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    const { fleet, inspected, selection } = this;
    // A head has the focus although no device is chosen by that.
    const isSomewhere = selection.isMany || Boolean(fleet.lineAt(fleet.active)?.group);
    const here = inspected.device === null && !isSomewhere && !this.places.isAwaiting() ? -1 : fleet.active;
    const steps: Record<string, number> = {
      ArrowDown: here + 1,
      ArrowUp: here - 1,
      PageDown: here + this.places.page(),
      PageUp: here - this.places.page(),
      Home: 0,
      End: fleet.lines.count - 1,
    };
    const place = steps[event.key];
    const done = place === undefined ? this.#other(event, command) : this.#move(event, command, place, here);
    if (done) event.preventDefault();
  }

  #move(event: KeyboardEvent, command: boolean, place: number, here: number): boolean {
    const { fleet } = this;
    if (fleet.reloading && (event.key !== 'ArrowUp' || here > 0)) {
      // The first line of the next list or its last can be meant, and no other.
      this.places.await(event.key === 'End' ? 'last' : 0);
    } else if (event.key === 'ArrowUp' && here <= 0) {
      this.places.toHeads();
    } else if (fleet.lines.count > 0) {
      const to = Math.min(fleet.lines.count - 1, Math.max(0, place));
      if (event.shiftKey) this.#extend(here, to, command);
      else if (command) this.places.step(to);
      else this.places.goTo(to);
    }
    return true;
  }

  /** Selects up to there; with `adds` besides what is selected already. */
  #extend(from: number, to: number, adds: boolean): void {
    const { connections, fleet, selection } = this;
    const connection = connections.current?.id;
    // A group's head is no device: the range extends to the next one.
    const step = to < from ? -1 : 1;
    let line = to;
    while (fleet.lineAt(line)?.group) line += step;
    const device = fleet.idAt(line);
    if (connection === undefined || device === undefined) return;
    selection.rangeTo(connection, device, adds);
    this.places.step(line);
  }

  /** The line of the head above a line. */
  #headOf(line: number): number {
    let head = line;
    while (head > 0 && !this.fleet.lineAt(head)?.group) head -= 1;
    return head;
  }

  #other(event: KeyboardEvent, command: boolean): boolean {
    const { connections, fleet, selection } = this;
    const connection = connections.current?.id;
    // With Ctrl the arrows move the focus alone, and so the space bar is pressed with it, too.
    if (connection === undefined || (command && event.key !== ' ')) return false;
    const line = fleet.lineAt(fleet.active);
    if (event.key === 'Escape' && selection.isMany) {
      selection.clear();
      return true;
    }
    if (line?.group) {
      const folds = { ArrowLeft: !line.folded, ArrowRight: line.folded, Enter: true }[event.key];
      if (folds) fleet.fold(line.group);
      if (event.key === ' ' && !fleet.reloading) selection.toggleGroup(connection, line.group);
      return folds !== undefined || event.key === ' ';
    }
    if (event.key === 'ArrowLeft' && line !== null && fleet.group !== null) {
      this.places.step(this.#headOf(fleet.active));
      return true;
    }
    if (event.key === ' ') {
      const device = fleet.idAt(fleet.active);
      if (device === undefined || fleet.reloading) return true;
      if (event.shiftKey) selection.rangeTo(connection, device, command);
      else selection.toggle(connection, device);
      return true;
    }
    if (event.key !== 'Enter') return false;
    if (fleet.reloading || line === null) return true;
    if (!selection.isMany) this.places.goTo(fleet.active);
    const target = selection.isMany ? '.bar .button' : '.inspector [role="switch"]';
    document.querySelector<HTMLElement>(target)?.focus();
    return true;
  }
}
