/** Connections, their files and their preflight. */

import type { ConnectionEntry } from '../bindings/ConnectionEntry';
import type { ConnectionView } from '../bindings/ConnectionView';
import type { FileToWrite } from '../bindings/FileToWrite';
import type { FilesToRead } from '../bindings/FilesToRead';
import type { Imported } from '../bindings/Imported';
import type { KitView } from '../bindings/KitView';
import type { PreflightView } from '../bindings/PreflightView';
import type { PresetView } from '../bindings/PresetView';
import type { Step as PreflightStep } from '../bindings/Step';
import { view } from './connections';
import { describeLamp } from './dialects';
import { wait } from './failure';
import { makeFleet } from './fleet';
import { makePast } from './past';
import { PRESETS } from '../bindings/Presets';
import type { FakeEngine } from './engine';

export function connectionCalls(engine: FakeEngine) {
  return {
    async connections(): Promise<ConnectionView[]> {
      return engine.views();
    },

    async startDemo(): Promise<ConnectionView> {
      const running = engine.connections.list.find((connection) => connection.demo);
      if (running) return running;
      await wait(engine.options.startup);
      const now = Date.now();
      const demo = view({ id: 'demo', name: 'Demo fleet', url: 'mqtt://127.0.0.1:41883', demo: true });
      demo.mode = engine.options.mode;
      demo.needs_approval = engine.options.needsApproval;
      demo.link = { state: 'online', since: now };
      demo.round_trip_ms = 0.4;
      engine.fleet = makeFleet(demo.id, engine.options.devices, now);
      const first = engine.fleet[0];
      if (engine.options.lamp && first) describeLamp(first, engine.options.lampPassword);
      engine.byId = new Map(engine.fleet.map((device) => [device.row.device, device]));
      engine.commands = makePast(engine.fleet, engine.options.past, now);
      engine.connections.list.push(demo);
      engine.touch();
      setInterval(() => {
        demo.round_trip_ms = 0.3 + engine.next() * 0.4;
        demo.in_per_second = engine.options.devices * (0.8 + engine.next() * 0.05);
        engine.touch();
      }, 1_000);
      if (engine.options.chatter) setInterval(() => engine.chat(), 2_500);
      return demo;
    },

    async presets(): Promise<PresetView[]> {
      return PRESETS;
    },

    async saveConnection(entry: ConnectionEntry): Promise<ConnectionView> {
      await wait(20);
      const saved = engine.connections.save(entry, entry.kit === null ? null : engine.kits.view(entry.kit));
      if (entry.kit !== null) engine.kits.forget(entry.kit);
      engine.touch();
      return saved;
    },

    async enableDialects(connection: string, names: string[]): Promise<ConnectionView> {
      await wait(20);
      const view = engine.connections.enable(connection, names);
      engine.touch();
      return view;
    },

    async declineDialects(connection: string, names: string[]): Promise<void> {
      engine.connections.decline(connection, names);
      engine.touch();
    },

    async duplicateConnection(id: string): Promise<ConnectionView> {
      const copy = engine.connections.duplicate(id);
      engine.touch();
      return copy;
    },

    async orderConnections(ids: string[]): Promise<void> {
      engine.connections.order(ids);
      engine.touch();
    },

    async renewCertificate(id: string, kit: string): Promise<ConnectionView> {
      const renewed = engine.connections.renew(id, engine.kits.view(kit));
      engine.kits.forget(kit);
      engine.touch();
      return renewed;
    },

    async removeConnection(id: string): Promise<void> {
      engine.connections.remove(id);
      engine.rollouts.removeOf(id);
      engine.touch();
    },

    async exportConnections(ids: string[], to: FileToWrite, passphrase: string | null): Promise<string> {
      engine.connections.export(ids, engine.export.check(to), passphrase);
      return engine.export.wrote(to);
    },

    async importConnections(path: string, passphrase: string | null, withoutKeyring: boolean): Promise<Imported> {
      await wait(20);
      const imported = engine.connections.import(path, passphrase, withoutKeyring);
      engine.touch();
      return imported;
    },

    async readFiles(files: FilesToRead): Promise<KitView> {
      await wait(20);
      return engine.kits.read(files);
    },

    async leaveOut(kit: string, item: number): Promise<KitView> {
      return engine.kits.leaveOut(kit, item);
    },

    async forgetKit(kit: string): Promise<void> {
      engine.kits.forget(kit);
    },

    preflight(
      entry: ConnectionEntry,
      from: PreflightStep | null,
      onView: (view: PreflightView) => void,
    ): Promise<PreflightView> {
      return engine.preflight.run(entry, from, onView);
    },

    async stopPreflight(): Promise<void> {
      engine.preflight.stop();
    },
  };
}
