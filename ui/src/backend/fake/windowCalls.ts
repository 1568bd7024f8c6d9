/** Settings, calls that only the window makes, and actions of tests. */

import { type About, type Dropped, type Preferences } from '../backend';
import type { Batch } from '../bindings/Batch';
import type { ConnectionView } from '../bindings/ConnectionView';
import type { EvidenceUse } from '../bindings/EvidenceUse';
import type { HistoryCheck } from '../bindings/HistoryCheck';
import type { NotificationSubject } from '../bindings/NotificationSubject';
import type { Notice } from '../bindings/Notice';
import type { Older } from '../bindings/Older';
import type { Settings } from '../bindings/Settings';
import { failure } from './failure';
import type { FakeEngine } from './engine';

export function windowCalls(engine: FakeEngine) {
  const calls = {
    /** The window has been closed. A browser’s stays where it is. */
    closed: false,
    /** The page has called `showWindow`. */
    shown: false,

    async listen(onBatch: (batch: Batch) => void): Promise<() => void> {
      engine.listeners.add(onBatch);
      return () => engine.listeners.delete(onBatch);
    },

    async about(): Promise<About> {
      return { version: '0.1.0', data_dir: '(in this browser: nothing is kept)' };
    },

    async settings(): Promise<Settings> {
      return engine.settings.kept;
    },

    async changeSettings(settings: Settings): Promise<void> {
      engine.settings.change(settings);
    },

    async countOlder(days: number): Promise<Older> {
      return { commands: engine.older(days).length, unmatched: 0, logs: 0 };
    },

    async forgetOlder(days: number): Promise<Older> {
      const counted = await calls.countOlder(days);
      const older = new Set(engine.older(days));
      engine.commands = engine.commands.filter((command) => !older.has(command));
      engine.touch();
      return counted;
    },

    async dataSize(): Promise<number> {
      return 40_000 + engine.commands.length * 1_900;
    },

    async evidenceUse(): Promise<EvidenceUse> {
      return {
        bytes: 210_000_000,
        quota: engine.settings.kept.evidence_bytes,
        discarded: 12_400,
        devices: [{ connection: 'demo', device: 'dev-7', messages: 12_400 }],
      };
    },

    async checkHistory(all: boolean): Promise<HistoryCheck> {
      const checked = engine.commands.length * 6;
      const damage = { damaged: 0, damaged_events: [], wrongly_listed: 0, wrongly_listed_commands: [] };
      return { gaps: [], checked, ...damage, unreadable: null, faults: [], all };
    },

    async openDataFolder(): Promise<void> {
      throw failure('internal', 'A browser opens no folders.', 'Start the app for that.');
    },

    async loadPreferences(): Promise<Preferences> {
      return engine.preferences;
    },

    async savePreferences(preferences: Preferences): Promise<void> {
      engine.preferences = preferences;
    },

    async setZoom(factor: number): Promise<void> {
      document.documentElement.style.setProperty('zoom', factor === 1 ? '' : String(factor));
    },

    async chooseFiles(): Promise<string[]> {
      return ['/home/you/Downloads/kit.zip'];
    },

    async chooseSavePath(_title: string, name: string): Promise<string | null> {
      return `/home/you/${name}`;
    },

    async onNotificationClicked(callback: (subject: NotificationSubject) => void): Promise<() => void> {
      engine.notificationListeners.add(callback);
      return () => engine.notificationListeners.delete(callback);
    },

    /** As if a notification had been clicked. */
    clickNotification(subject: NotificationSubject): void {
      for (const callback of engine.notificationListeners) callback(subject);
    },

    async onFilesDropped(callback: Dropped): Promise<() => void> {
      engine.dropped.add(callback);
      return () => engine.dropped.delete(callback);
    },

    async onCloseRequested(callback: () => void): Promise<() => void> {
      engine.closing.add(callback);
      return () => engine.closing.delete(callback);
    },

    async showWindow(): Promise<void> {
      calls.shown = true;
    },

    async closeWindow(): Promise<void> {
      calls.closed = true;
    },

    /** Wants the window closed, as the button in its title bar does. */
    requestClose(): void {
      calls.closed = engine.closing.size === 0;
      for (const callback of engine.closing) callback();
    },

    /** Drops files on the window, as a person would. */
    dropFiles(paths: string[]): void {
      for (const callback of engine.dropped) callback.drop(paths);
    },

    /** Says something, as the engine would. */
    notify(notice: Omit<Notice, 'connection'> & Partial<Notice>): void {
      engine.notices.push({ connection: null, ...notice });
      engine.touch();
    },

    /** Lets so many days pass since what is in the history. */
    age(days: number): void {
      const older = (at: number | null) => (at === null ? null : at - days * 86_400_000);
      engine.commands = engine.commands.map((command) => ({
        ...command,
        queued_at: command.queued_at - days * 86_400_000,
        changed_at: command.changed_at - days * 86_400_000,
        finished_at: older(command.finished_at),
      }));
    },

    /** Changes the state of a connection, as the network would. */
    setLink(id: string, link: ConnectionView['link']): void {
      const connection = engine.connections.list.find((other) => other.id === id);
      if (connection) connection.link = link;
      engine.touch();
    },
  };
  return calls;
}
