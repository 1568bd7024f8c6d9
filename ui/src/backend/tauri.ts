/** The engine behind the desktop shell: one `invoke` for each question. The only file that knows the shell. */

import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { getCurrentWebview } from '@tauri-apps/api/webview';
import { getCurrentWindow } from '@tauri-apps/api/window';
import { open, save } from '@tauri-apps/plugin-dialog';
import { load } from '@tauri-apps/plugin-store';

import { DEFAULT_PREFERENCES, type Backend, type Preferences } from './backend';
import type { Batch } from './bindings/Batch';
import type { ExportView } from './bindings/ExportView';
import type { NewsSubject } from './bindings/NewsSubject';
import type { PreflightView } from './bindings/PreflightView';
import type { TrafficBatch } from './bindings/TrafficBatch';

const preferencesFile = () => load('preferences.json', { defaults: {}, autoSave: false });

export const tauri: Backend = {
  connections: () => invoke('connections'),
  presets: () => invoke('presets'),
  saveConnection: (entry) => invoke('save_connection', { entry }),
  duplicateConnection: (id) => invoke('duplicate_connection', { id }),
  orderConnections: (ids) => invoke('order_connections', { ids }),
  renewCertificate: (id, kit) => invoke('renew_certificate', { id, kit }),
  removeConnection: (id) => invoke('remove_connection', { id }),
  exportConnections: (ids, to, passphrase) => invoke('export_connections', { ids, to, passphrase }),
  importConnections: (path, passphrase, withoutKeyring) =>
    invoke('import_connections', { path, passphrase, withoutKeyring }),
  readFiles: (files) => invoke('read_files', { files }),
  leaveOut: (kit, item) => invoke('leave_out', { kit, item }),
  forgetKit: (kit) => invoke('forget_kit', { kit }),
  preflight(entry, from, onView) {
    const channel = new Channel<PreflightView>();
    channel.onmessage = onView;
    return invoke('preflight', { entry, from, channel });
  },
  stopPreflight: () => invoke('stop_preflight'),
  startDemo: () => invoke('start_demo'),
  devices: (query, from, count) => invoke('devices', { query, from, count }),
  device: (connection, device) => invoke('device', { connection, device }),
  send: (command) => invoke('send_command', { command }),
  sendAgain: (connection, device, id) => invoke('send_again', { connection, device, id }),
  cancel: (connection, device, id) => invoke('cancel_command', { connection, device, id }),
  history: (query) => invoke('history', { query }),
  command: (connection, device, id) => invoke('command', { connection, device, id }),
  exportHistory(query, to, format, onView) {
    const channel = new Channel<ExportView>();
    channel.onmessage = onView;
    return invoke('export_history', { query, to, format, channel });
  },
  stopExport: () => invoke('stop_export'),
  telemetry: (query) => invoke('telemetry', { query }),
  logs: (connection, device) => invoke('logs', { connection, device }),
  log: (connection, device, id, withText) => invoke('log', { connection, device, id, withText }),
  saveLog: (connection, device, id, to) => invoke('save_log', { connection, device, id, to }),
  forgetDevice: (connection, device) => invoke('forget_device', { connection, device }),
  forgetLog: (connection, device, id) => invoke('forget_log', { connection, device, id }),
  catalogue: () => invoke('catalogue'),
  saveDefinition: (id, definition) => invoke('save_definition', { id, definition }),
  removeDefinition: (id) => invoke('remove_definition', { id }),
  previewCommand: (command) => invoke('preview_command', { command }),
  readCatalogue: (path) => invoke('read_catalogue', { path }),
  importCatalogue: (path, replace) => invoke('import_catalogue', { path, replace }),
  exportCatalogue: (ids, to) => invoke('export_catalogue', { ids, to }),
  buttons: () => invoke('buttons'),
  saveButton: (button) => invoke('save_button', { button }),
  orderButtons: (ids) => invoke('order_buttons', { ids }),
  removeButton: (id) => invoke('remove_button', { id }),
  async subscribe(onBatch) {
    const channel = new Channel<Batch>();
    channel.onmessage = onBatch;
    await invoke('subscribe', { channel });
    return () => {
      channel.onmessage = () => undefined;
    };
  },
  watchTraffic(query, onBatch) {
    const channel = new Channel<TrafficBatch>();
    channel.onmessage = onBatch;
    return invoke('watch_traffic', { query, channel });
  },
  stopTraffic: () => invoke('stop_traffic'),
  about: () => invoke('about'),
  settings: () => invoke('settings'),
  changeSettings: (settings) => invoke('change_settings', { settings }),
  countOlder: (days) => invoke('count_older', { days }),
  forgetOlder: (days) => invoke('forget_older', { days }),
  dataSize: () => invoke('data_size'),
  openDataFolder: () => invoke('open_data_folder'),
  async loadPreferences() {
    const file = await preferencesFile();
    const kept = await file.get<Partial<Preferences>>('preferences');
    return { ...DEFAULT_PREFERENCES, ...kept };
  },
  async savePreferences(preferences) {
    const file = await preferencesFile();
    await file.set('preferences', preferences);
    await file.save();
  },
  setZoom: (factor) => getCurrentWebview().setZoom(factor),
  chooseFiles: async (title) => (await open({ title, multiple: true, directory: false })) ?? [],
  chooseSavePath: (title, name) => save({ title, defaultPath: name }),
  onNewsAsked: (callback) => listen<NewsSubject>('show', ({ payload }) => callback(payload)),
  onFilesDropped: (callback) =>
    getCurrentWebview().onDragDropEvent(({ payload }) => {
      if (payload.type === 'over') return;
      callback.over(payload.type === 'enter');
      if (payload.type === 'drop') callback.drop(payload.paths);
    }),
  onCloseRequested: (callback) =>
    getCurrentWindow().onCloseRequested((event) => {
      event.preventDefault();
      callback();
      // A page that does not say so has come to a standstill, and its window is closed.
      void invoke('ask_before_closing');
    }),
  closeWindow: () => getCurrentWindow().destroy(),
};
