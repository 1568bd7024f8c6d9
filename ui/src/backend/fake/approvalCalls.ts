/** Approvals by a second installation, with an invented colleague. */

import type { ApprovalAnswer } from '../bindings/ApprovalAnswer';
import type { ApprovalRequestView } from '../bindings/ApprovalRequestView';
import type { ApprovalSample } from '../bindings/ApprovalSample';
import type { FileToWrite } from '../bindings/FileToWrite';
import type { InstallationIdentity } from '../bindings/InstallationIdentity';
import type { RolloutView } from '../bindings/RolloutView';
import type { TrustedView } from '../bindings/TrustedView';
import type { Verdict } from '../bindings/Verdict';
import type { FakeEngine } from './engine';
import { failure } from './failure';

const DAY = 86_400_000;
const OWN = '3f2a 91bc 0d4e 77a1 c2b8 5e60 19fd a403';

/** A colleague. */
export const BO: InstallationIdentity = {
  name: 'Bo on desk-2',
  public_key: 'b0'.repeat(32),
  fingerprint: 'b0b0 17aa 4c3d 90f1 2e6b 8a55 d013 7c42',
};

export function approvalCalls(engine: FakeEngine) {
  let trusted: TrustedView[] = [];
  const identities = new Map<string, InstallationIdentity>();
  const requests = new Map<string, ApprovalRequestView>();
  const answers = new Map<string, Verdict>();
  const own = (): InstallationIdentity => ({
    name: `${engine.settings.kept.operator_name ?? 'you'} on this-computer`,
    public_key: '3f'.repeat(32),
    fingerprint: OWN,
  });
  return {
    /** A colleague hands over the identity of their installation. */
    receiveIdentity(path: string): void {
      identities.set(path, BO);
    },

    /** A colleague asks for an approval. */
    receiveRequest(path: string, given: Partial<ApprovalRequestView> = {}): void {
      requests.set(path, { ...REQUEST, ...given });
    },

    /** A colleague answers. */
    receiveAnswer(path: string, verdict: Verdict): void {
      answers.set(path, verdict);
    },

    async identity(): Promise<InstallationIdentity> {
      return own();
    },

    async exportIdentity({ path }: FileToWrite): Promise<string> {
      identities.set(path, own());
      return path;
    },

    async readIdentity(path: string): Promise<InstallationIdentity> {
      const read = identities.get(path);
      if (read) return read;
      throw failure('file', `${path} is not an identity of an installation.`, 'On the other computer, save one.');
    },

    async trustedInstallations(): Promise<TrustedView[]> {
      return trusted;
    },

    async trustInstallation(name: string, public_key: string): Promise<TrustedView> {
      if (public_key === own().public_key)
        throw failure('invalid', "This is this installation's own key.", 'Enter the key of the second installation.');
      const fingerprint = public_key === BO.public_key ? BO.fingerprint : OWN;
      const added = { name, public_key, fingerprint, added_at: Date.now() };
      trusted = [...trusted, added];
      return added;
    },

    async distrustInstallation(name: string): Promise<void> {
      trusted = trusted.filter((one) => one.name !== name);
    },

    async saveApprovalRequest(rollout: string, { path }: FileToWrite): Promise<string> {
      const { members, number } = engine.rollouts.detail(rollout).rollout;
      const refused = 'This request was made by this installation.';
      requests.set(path, { ...REQUEST, rollout: number, members, refused });
      return path;
    },

    async readApprovalRequest(path: string): Promise<ApprovalRequestView> {
      const request = requests.get(path);
      if (request) return request;
      throw failure('file', `${path} is not an approval request.`, 'Choose the file that your colleague saved.');
    },

    async answerApprovalRequest({ request }: ApprovalAnswer, to: FileToWrite): Promise<string> {
      if (!requests.has(request)) throw failure('file', `Could not read ${request}.`, null);
      return engine.export.wrote(to);
    },

    async importApproval(path: string, rollout: string | null): Promise<RolloutView> {
      const verdict = answers.get(path);
      if (verdict === undefined)
        throw failure('file', `${path} is not an answer to an approval request.`, 'Choose the file of your colleague.');
      const by = trusted.find(({ public_key: key }) => key === BO.public_key);
      if (by === undefined)
        throw failure(
          'invalid',
          `The answer is signed by the key ${BO.fingerprint}, which is not trusted here.`,
          'Add it in Settings.',
        );
      const id = rollout ?? engine.rollouts.list.find(({ waits_for: waits }) => waits?.what === 'approval')?.id ?? '';
      const at = Date.now();
      const note = verdict === 'approved' ? 'seen on the plan' : 'not today';
      return engine.rollouts.decide(id, {
        verdict,
        by: by.name,
        fingerprint: by.fingerprint,
        note,
        signed_at: at,
        imported_at: at,
      });
    },
  };
}

function sample(dialect: string, device: string, topic: string, payload: string): ApprovalSample {
  return { dialect, device, request: { topic, qos: 1, bytes: payload.length, payload, binary: false, cut: null } };
}

const REQUEST: ApprovalRequestView = {
  sha256: 'ab'.repeat(32),
  rollout: 3,
  summary: 'Wilco sends restart to 300 devices on Rotterdam cold chain.',
  facts: [
    { label: 'Broker', value: 'mqtts://broker.example.net:8883' },
    { label: 'Target', value: 'devices that match tag:hall' },
    { label: 'Stages', value: '10, then 290' },
    { label: 'Rate', value: 'at most 20 per second' },
  ],
  args: '{}',
  samples: [
    sample(
      'Wilco',
      'pump-1',
      'pump-1/req',
      '{"id":"{id}","command":"restart","args":{},"issued_at":1795435200000,"expires_at":1795435260000,"attempt":1}',
    ),
    sample('Tasmota', 'attic', 'cmnd/attic/Restart', '1'),
  ],
  devices: [
    { device: 'pump-1', args: null },
    { device: 'pump-2', args: null },
  ],
  members: 300,
  note: 'new firmware',
  from: {
    name: BO.name,
    fingerprint: BO.fingerprint,
    trusted_as: null,
    operator: 'Bo',
    os_user: 'bo',
    machine: 'desk-2',
    wilco: '0.1.0',
  },
  created_at: 1_795_435_200_000,
  expires_at: 1_795_435_200_000 + 7 * DAY,
  refused: null,
};
