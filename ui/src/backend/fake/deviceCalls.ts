/** The fleet: lists, single devices, views, measurements and traffic. */

import type { CountedView } from '../bindings/CountedView';
import type { DesiredConfig } from '../bindings/DesiredConfig';
import type { DesiredFor } from '../bindings/DesiredFor';
import type { DesiredView } from '../bindings/DesiredView';
import type { DeviceCells } from '../bindings/DeviceCells';
import type { SavedView } from '../bindings/SavedView';
import type { ViewColumn } from '../bindings/ViewColumn';
import type { DeviceExport } from '../bindings/DeviceExport';
import type { DeviceImport } from '../bindings/DeviceImport';
import type { DeviceColumns } from '../bindings/DeviceColumns';
import type { DeviceRow } from '../bindings/DeviceRow';
import type { DeviceSummary } from '../bindings/DeviceSummary';
import type { DeviceDetail } from '../bindings/DeviceDetail';
import type { DevicePage } from '../bindings/DevicePage';
import type { DeviceQuery } from '../bindings/DeviceQuery';
import type { FileToWrite } from '../bindings/FileToWrite';
import type { ForgottenDevices } from '../bindings/ForgottenDevices';
import type { NewDevice } from '../bindings/NewDevice';
import type { TelemetryQuery } from '../bindings/TelemetryQuery';
import type { TelemetryView } from '../bindings/TelemetryView';
import type { ReportedKey } from '../bindings/ReportedKey';
import type { SearchReading } from '../bindings/SearchReading';
import type { TrafficBatch } from '../bindings/TrafficBatch';
import type { TrafficQuery } from '../bindings/TrafficQuery';
import { failure } from './failure';
import { setPassword } from './dialects';
import { unmatched } from './evidence';
import { PUMP_MESSAGES } from './drafts';
import { select, summaryOf } from './columns';
import { type FakeDevice } from './fleet';
import { measurements } from './telemetry';
import { countsOfFleet, reading } from './search';
import { cellsOf } from './views';
import { toJson } from '../../format/json';
import type { FakeEngine } from './engine';

export function deviceCalls(engine: FakeEngine) {
  return {
    async devices(query: DeviceQuery, from: number, count: number): Promise<DevicePage> {
      const fleet = engine.of(query.connection);
      const rows = select(fleet, query);
      return { rows: rows.slice(from, from + count), from, matching: rows.length, total: fleet.length };
    },

    async deviceColumns(query: DeviceQuery, known: number | null, series: string | null): Promise<DeviceColumns> {
      return engine.columns.of(engine.of(query.connection), query, known, series);
    },

    async deviceRows(connection: string, devices: string[]): Promise<DeviceRow[]> {
      const fleet = engine.of(connection).length > 0 ? engine.byId : new Map<string, FakeDevice>();
      return devices.flatMap((id) => fleet.get(id)?.row ?? []);
    },

    async compareDevices(_connection: string, devices: string[]): Promise<DeviceSummary> {
      return summaryOf(devices.flatMap((id) => engine.byId.get(id) ?? []));
    },

    async readSearch(connection: string, text: string, caret: number): Promise<SearchReading> {
      return reading(text, caret, countsOfFleet(engine.of(connection).map(({ row }) => row)));
    },

    async device(connection: string, device: string): Promise<DeviceDetail> {
      const found = engine.find(connection, device);
      const commands = engine.commands.filter((command) => command.device === device && !command.automatic);
      return {
        row: found.row,
        note: found.note,
        reported_at: found.reportedAt,
        restarted_at: null,
        running_config: found.running && toJson(found.running),
        saved_config: found.saved && toJson(found.saved),
        telemetry_interval_ms: engine.interval(device),
        commands: commands.slice(0, 8),
        command_count: commands.length,
        evidence_bytes: 0,
        discarded: null,
        unmatched: found.row.device.endsWith('1') ? [unmatched(device)] : [],
        described: found.described,
      };
    },

    async telemetry(query: TelemetryQuery): Promise<TelemetryView> {
      return measurements(query, engine.interval(query.device), Date.now());
    },

    async addDevices(connection: string, devices: NewDevice[]): Promise<string[]> {
      const added = engine.annotations.add(connection, devices);
      engine.touch();
      return added;
    },

    async nameDevice(connection: string, device: string, name: string | null): Promise<void> {
      engine.annotations.name(engine.find(connection, device), name);
      engine.touch();
    },

    async setDevicePassword(_connection: string, device: string | null, password: string | null): Promise<void> {
      setPassword(engine.fleet, device, password !== null);
      engine.touch();
    },

    async noteDevice(connection: string, device: string, note: string | null): Promise<void> {
      engine.annotations.note(engine.find(connection, device), note);
      engine.touch();
    },

    async tagDevices(_connection: string, devices: string[], tag: string): Promise<string[]> {
      const tagged = engine.annotations.tag(devices, tag);
      engine.touch();
      return tagged;
    },

    async untagDevices(_connection: string, devices: string[], tag: string): Promise<string[]> {
      const untagged = engine.annotations.untag(devices, tag);
      engine.touch();
      return untagged;
    },

    async forgetDevices(_connection: string, devices: string[]): Promise<ForgottenDevices> {
      const forgotten = engine.annotations.forget(devices);
      engine.touch();
      return forgotten;
    },

    readDeviceFile(_connection: string, path: string, onView: (view: DeviceImport) => void): Promise<DeviceImport> {
      return engine.deviceFiles.read(path, () => undefined, onView);
    },

    importDevices(connection: string, path: string, onView: (view: DeviceImport) => void): Promise<DeviceImport> {
      const take = (devices: NewDevice[]) => {
        engine.annotations.add(connection, devices);
        engine.touch();
      };
      return engine.deviceFiles.read(path, take, onView);
    },

    async stopDeviceImport(): Promise<void> {
      engine.deviceFiles.stop();
    },

    async exportDevices(query: DeviceQuery, to: FileToWrite): Promise<DeviceExport> {
      return { path: engine.export.wrote(to), devices: select(engine.of(query.connection), query).length };
    },

    async views(connection: string): Promise<CountedView[]> {
      const fleet = engine.of(connection);
      return engine.savedViews.list(connection, (view) => select(fleet, view).length);
    },

    async saveView(view: SavedView): Promise<SavedView> {
      return engine.savedViews.save(view);
    },

    async desired(connection: string): Promise<DesiredView[]> {
      return engine.desired.list(connection);
    },

    async saveDesired(desired: DesiredConfig): Promise<DesiredView> {
      return engine.desired.save(desired);
    },

    async clearDesired(connection: string, target: DesiredFor): Promise<DesiredConfig> {
      return engine.desired.clear(connection, target);
    },

    async reportedKeys(connection: string, search: string): Promise<ReportedKey[]> {
      return engine.desired.keys(connection, search);
    },

    async removeView(id: string): Promise<void> {
      if (engine.desired.isForView(id))
        throw failure(
          'invalid',
          'This view has a desired configuration.',
          'Clear it first. Without the view, it would apply to no device.',
        );
      engine.savedViews.remove(id);
    },

    async deviceCells(_connection: string, devices: string[], columns: ViewColumn[]): Promise<DeviceCells[]> {
      return cellsOf(
        devices.flatMap((id) => engine.byId.get(id) ?? []),
        columns,
      );
    },

    async restoreDevices(_connection: string, devices: string[]): Promise<string[]> {
      const restored = engine.annotations.restore(devices);
      engine.touch();
      return restored;
    },

    async traffic(query: TrafficQuery, onBatch: (batch: TrafficBatch) => void): Promise<() => void> {
      if (query.filter === '#') engine.traffic.tell(PUMP_MESSAGES, onBatch);
      return engine.traffic.watch(query, () => engine.of(query.connection), engine.next, onBatch);
    },
  };
}
