/** Commands, their history and the logs that they fetch. */

import type { CommandDetail } from '../bindings/CommandDetail';
import type { CommandView } from '../bindings/CommandView';
import type { CommandRef } from '../bindings/CommandRef';
import type { CommandCheck } from '../bindings/CommandCheck';
import type { Confirmed } from '../bindings/Confirmed';
import { BAD_ENDS } from '../bindings/Constants';
import type { ExportFormat } from '../bindings/ExportFormat';
import type { ExportView } from '../bindings/ExportView';
import type { FileToWrite } from '../bindings/FileToWrite';
import type { HistoryCauses } from '../bindings/HistoryCauses';
import type { HistoryPage } from '../bindings/HistoryPage';
import type { HistoryQuery } from '../bindings/HistoryQuery';
import type { KeptLog } from '../bindings/KeptLog';
import type { LogView } from '../bindings/LogView';
import type { NewCommand } from '../bindings/NewCommand';
import type { Sent } from '../bindings/Sent';
import { objectFrom } from '../../format/json';
import { detailOf } from './evidence';
import { failure } from './failure';
import { causesOf } from './history';
import { blank, newId } from './past';
import { confirmationOf, permit, refusalOf } from './protection';
import type { SuggestedTimeout } from '../bindings/SuggestedTimeout';
import type { TimesQuery } from '../bindings/TimesQuery';
import type { TimesView } from '../bindings/TimesView';
import { timesOf } from './times';
import type { FakeEngine } from './engine';

function busyText({ operator, command }: CommandView): string {
  const by = operator === null ? '' : ` (${operator})`;
  return `Another console${by} sent ${command} 3 s ago, and it has not finished.`;
}

export function commandCalls(engine: FakeEngine) {
  const connectionOf = (id: string) => engine.connections.list.find((one) => one.id === id);
  const calls = {
    async suggestedTimeout(
      connection: string,
      device: string | null,
      command: string,
    ): Promise<SuggestedTimeout | null> {
      for (const of of device === null ? [null] : [device, null]) {
        const times = await calls.answerTimes({ connection, device: of, by: 'command' });
        const usual = times.find(({ name }) => name === command);
        if (usual === undefined || usual.suggested_timeout_ms === null) continue;
        const { count, p99_ms, suggested_timeout_ms } = usual;
        return { timeout_ms: suggested_timeout_ms, count, p99_ms, of_device: of !== null };
      }
      return null;
    },

    async answerTimes(query: TimesQuery): Promise<TimesView[]> {
      return timesOf(
        engine.commands.filter(({ connection }) => connection === query.connection),
        query,
        (device) => engine.byId.get(device)?.row.firmware ?? null,
      );
    },

    async send(command: NewCommand): Promise<Sent> {
      const kind = engine.catalogue.find(command.connection, command.command);
      const grave = command.devices.length > 1 || (kind?.dangerous ?? false);
      permit(connectionOf(command.connection), grave, command.confirmed);
      const answered = kind?.answer_expected ?? true;
      const delivery = command.delivery ?? (kind?.dangerous ? 'now' : 'hold_here');
      const ids = command.devices.map((id) => {
        const device = engine.find(command.connection, id);
        const asked = blank(device, newId(Date.now(), engine.next), command.command, command.args, Date.now());
        const by = command.automatic ? 'Wilco' : asked.by;
        const view = { ...asked, by, again_of: command.again_of, automatic: command.automatic };
        const held = device.row.presence === 'offline' && delivery === 'hold_here';
        engine.begin(
          held ? { ...view, state: 'held', deadline: view.queued_at + 60_000 } : view,
          device,
          command.no_answer || !answered,
        );
        return view.id;
      });
      return { ids };
    },

    async dismiss(_connection: string, command: CommandRef | null): Promise<void> {
      const seen = engine.commands.filter(
        ({ id, state }) => BAD_ENDS.includes(state) && (command === null || command.id === id),
      );
      for (const { id } of seen) engine.dismissed.add(id);
    },

    async checkCommand(command: NewCommand): Promise<CommandCheck> {
      const connection = connectionOf(command.connection);
      const kind = engine.catalogue.find(command.connection, command.command);
      const grave = command.devices.length > 1 || (kind?.dangerous ?? false);
      const devices = command.devices
        .map((id) => engine.find(command.connection, id))
        .flatMap(({ row, described }) => {
          const own = described?.commands.find(({ name }) => name === command.command);
          const mute = own !== undefined && !own.reports_back;
          const silent = mute ? 'Its discovery names no state topic, so it cannot report back.' : null;
          const last = row.last_command;
          const busy = last === null || last.final || last.by === 'you' ? null : busyText(last);
          const on = objectFrom(command.args)['on'];
          const isLed = ['led', 'set state'].includes(command.command) && typeof on === 'boolean';
          const already = isLed && on === row.led ? (on ? 'ON' : 'OFF') : null;
          if (already === null && silent === null && busy === null) return [];
          const may_stay_silent = already !== null && described !== null;
          return [{ device: row.device, name: row.name, already, may_stay_silent, silent, refused: null, busy }];
        });
      return { refused: refusalOf(connection), confirmation: confirmationOf(connection, grave), devices };
    },

    async sendAgain(
      connection: string,
      device: string,
      id: string,
      confirmed: Confirmed,
      note: string | null,
    ): Promise<Sent> {
      const { command } = await calls.command(connection, device, id);
      return calls.send({
        connection,
        devices: [device],
        command: command.command,
        args: command.args,
        timeout_ms: null,
        ttl_ms: null,
        retries: null,
        delivery: null,
        no_answer: command.state === 'unconfirmed',
        again_of: id,
        automatic: false,
        confirmed,
        note,
      });
    },

    async cancel(connection: string, device: string, id: string): Promise<void> {
      engine.cancel(connection, device, id);
    },

    async history(query: HistoryQuery): Promise<HistoryPage> {
      const matching = engine.matching(query);
      const from = query.cursor === null ? 0 : matching.findIndex((command) => command.id === query.cursor) + 1;
      const commands = matching.slice(from, from + query.limit);
      const more = from + query.limit < matching.length;
      return {
        commands,
        next: more ? (commands.at(-1)?.id ?? null) : null,
        total: engine.commands.filter(({ automatic }) => automatic === query.automatic).length,
        matching: matching.length,
      };
    },

    async historyCauses(query: HistoryQuery): Promise<HistoryCauses> {
      return causesOf(engine.matching(query), query.limit);
    },

    async command(_connection: string, _device: string, id: string): Promise<CommandDetail> {
      const command = engine.commands.find((other) => other.id === id);
      if (!command) throw failure('not_found', 'There is no such command in the history.', null);
      return detailOf(command);
    },

    exportHistory(
      query: HistoryQuery,
      to: FileToWrite,
      _format: ExportFormat,
      onView: (view: ExportView) => void,
    ): Promise<ExportView> {
      return engine.export.run(engine.matching(query).length, to, onView);
    },

    async stopExport(): Promise<void> {
      engine.export.stop();
    },

    async logs(_connection: string, device: string): Promise<KeptLog[]> {
      return engine.logs.kept(engine.commands.filter((command) => command.device === device));
    },

    async log(_connection: string, _device: string, id: string, withText: boolean): Promise<LogView> {
      return engine.logs.view(engine.commands.find((command) => command.id === id) ?? null, withText);
    },

    async saveLog(_connection: string, _device: string, _id: string, to: FileToWrite): Promise<string> {
      return engine.export.wrote(to);
    },

    async forgetLog(_connection: string, _device: string, id: string): Promise<void> {
      engine.logs.forget(id);
    },
  };
  return calls;
}
