/** The engine behind the desktop shell: one `invoke` for each question. The only file that knows the shell. */

import { Channel, invoke } from '@tauri-apps/api/core';
import { open } from '@tauri-apps/plugin-dialog';
import { load } from '@tauri-apps/plugin-store';

import { DEFAULT_PREFERENCES, type Backend, type Preferences } from './backend';
import type { Batch } from './bindings/Batch';

const preferencesFile = () => load('preferences.json', { defaults: {}, autoSave: false });

export const tauri: Backend = {
  connections: () => invoke('connections'),
  addConnection: (connection) => invoke('add_connection', { connection }),
  testConnection: (connection) => invoke('test_connection', { connection }),
  removeConnection: (id) => invoke('remove_connection', { id }),
  startDemo: () => invoke('start_demo'),
  devices: (query, from, count) => invoke('devices', { query, from, count }),
  device: (connection, device) => invoke('device', { connection, device }),
  send: (command) => invoke('send_command', { command }),
  cancel: (connection, device, id) => invoke('cancel_command', { connection, device, id }),
  history: (query) => invoke('history', { query }),
  command: (connection, device, id) => invoke('command', { connection, device, id }),
  async subscribe(onBatch) {
    const channel = new Channel<Batch>();
    channel.onmessage = onBatch;
    await invoke('subscribe', { channel });
    return () => {
      channel.onmessage = () => undefined;
    };
  },
  about: () => invoke('about'),
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
  chooseFile: (title, extensions) =>
    open({ title, multiple: false, directory: false, filters: [{ name: title, extensions }] }),
};
