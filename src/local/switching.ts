import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../adapters/aws/clock.ts';
import { systemRandom } from '../adapters/aws/random.ts';
import { makeAwsTable } from '../adapters/aws/table.ts';
import { compile } from '../core/compile.ts';
import {
  compareVersions,
  type VersionChange,
  type VersionFacts,
  versionFacts,
} from '../core/shape.ts';
import { LEAD_LOCAL_MS, LEAD_MS, type PipelineVersion } from '../core/version.ts';
import { abortSwitch, announceSwitch, SwitchRefusedError } from '../handlers/announce-switch.ts';
import type { RetryContext } from '../handlers/retry.ts';
import { readVersions } from '../handlers/version-watch.ts';
import { codePrintOf } from '../project/code-print.ts';
import { loadPipeline } from '../project/discover.ts';
import { clockDifferenceMs } from './clock-difference.ts';
import { type DeploymentChoice, type OpenDeployment, openDeployment } from './deployed.ts';
import { readMapping } from './deployed-mapping.ts';
import { CommandError, EXIT } from './local-error.ts';
import { ROOT, STATE } from './paths.ts';
import { deploy, readDeployment, synthesise } from './stacks.ts';
import { type SwitchSource, type WriterStanding, writerStandings } from './switch-writers.ts';

/** A call of the ledger gives up after so long, milliseconds: see `announceSwitch`. */
const CALL_MS = 10_000;

/** How often the writers are looked at, milliseconds. */
const LOOK_MS = 2_000;

/** The same before the switch: a look reads from the stream, which shares that with the function. */
const LOOK_EARLY_MS = 15_000;

/** A record can be read some time after its arrival, milliseconds. */
const SETTLE_MS = 5_000;

/** Clocks that differ by more than this are told, milliseconds; the lead has room for twice as much. */
const CLOCK_MS = 30_000;

/** What would be switched, and where that stands. */
export interface SwitchPlan {
  readonly deployed: VersionFacts;
  /** Of the pipeline's file as it is now. */
  readonly next: VersionFacts;
  readonly change: VersionChange;
  /**
   * `none`: the deployed version is this one; `new`: nothing is announced; `announced`: it is, and the next
   * version isn't deployed.
   */
  readonly state: 'none' | 'new' | 'announced';
  /** Arrival of the first record of the next version, where it is announced. */
  readonly atMs: number | undefined;
}

/** A switch of one deployment; see `millrace switch`. */
export class Switching {
  readonly #choice: DeploymentChoice;
  readonly #open: OpenDeployment;

  private constructor(choice: DeploymentChoice, open: OpenDeployment) {
    this.#choice = choice;
    this.#open = open;
  }

  /** @throws CommandError when there is no deployment */
  static async open(choice: DeploymentChoice): Promise<Switching> {
    return new Switching(choice, await openDeployment(choice));
  }

  /** @throws CommandError when what is deployed and what is announced don't go together */
  async plan(): Promise<SwitchPlan> {
    const { pipeline } = this.#choice;
    const deployed = this.#open.deployment.version;
    if (deployed === undefined) throw refused('got a deployment that tells no version', pipeline);
    const folder = await loadPipeline(ROOT, pipeline);
    const print = codePrintOf(folder.file);
    const next = versionFacts(
      folder.pipeline,
      compile(folder.pipeline, folder.references, { codePrint: print }),
    );
    const list = await readVersions(this.#ledger, this.#context());
    const last: PipelineVersion = list?.versions.at(-1) ?? { fromMs: 0, print: deployed.print };
    const change = compareVersions(deployed, next);
    const common = { deployed, next, change };
    if (next.print === last.print && deployed.print === last.print) {
      return { ...common, state: 'none', atMs: last.fromMs };
    }
    if (next.print === last.print) return { ...common, state: 'announced', atMs: last.fromMs };
    if (deployed.print === last.print) return { ...common, state: 'new', atMs: undefined };
    throw refused(
      `got version ${deployed.print} deployed, expected ${last.print}, which is in force: deploy that one first`,
      pipeline,
    );
  }

  /** Announces it. @throws CommandError when it may not be, or this machine's clock is wrong */
  async announce({ deployed, next }: SwitchPlan, atMs: number): Promise<void> {
    await this.#checkClock();
    const announcement = { from: deployed.print, to: next.print, atMs, leadMs: this.#leadMs };
    await this.#told(announceSwitch(this.#ledger, announcement, this.#context()));
  }

  /** Takes it back. @throws CommandError when none is pending, or it is too late */
  async abort(): Promise<void> {
    await this.#checkClock();
    await this.#told(abortSwitch(this.#ledger, this.#context(), this.#leadMs));
  }

  /**
   * Waits until the version before has finished everything that arrived before the switch.
   *
   * @throws CommandError when the switch was taken back meanwhile
   */
  async finished(
    { next }: SwitchPlan,
    atMs: number,
    {
      signal,
      onLook,
    }: { signal: AbortSignal; onLook: (writers: readonly WriterStanding[]) => void },
  ): Promise<void> {
    const source = await this.#source(next);
    for (;;) {
      await this.#checkAnnounced(next);
      const writers = await writerStandings(source, { print: next.print, atMs }, this.#context());
      onLook(writers);
      const leftMs = atMs + SETTLE_MS - Date.now();
      if (leftMs <= 0 && writers.every(({ state }) => state !== 'behind')) return;
      const pauseMs = Math.min(LOOK_EARLY_MS, Math.max(LOOK_MS, leftMs));
      await delay(pauseMs, undefined, { signal });
    }
  }

  /** Updates the stacks in the local cloud. @throws CommandError when they can't be */
  async deployLocally(signal: AbortSignal): Promise<void> {
    const endpoint = process.env.AWS_ENDPOINT_URL ?? '';
    const directory = path.join(STATE, 'local');
    const options = { pipeline: this.#choice.pipeline, endpoint, directory, signal };
    await synthesise(options);
    await deploy(options);
  }

  /** Waits until the stacks say that the version is deployed. */
  async deployed({ next }: SwitchPlan, signal: AbortSignal): Promise<void> {
    const { pipeline, environment } = this.#choice;
    const stack = environment === 'local' ? 'dev' : environment;
    for (;;) {
      const { version } = await readDeployment(this.#open.clients, pipeline, stack);
      if (version?.print === next.print) return;
      await delay(LOOK_MS, undefined, { signal });
    }
  }

  /** Where the writers are now. */
  async writers({ next }: SwitchPlan, atMs: number): Promise<readonly WriterStanding[]> {
    const source = await this.#source(next);
    return writerStandings(source, { print: next.print, atMs }, this.#context());
  }

  async #checkAnnounced({ print }: VersionFacts): Promise<void> {
    const list = await readVersions(this.#ledger, this.#context());
    if (list?.versions.at(-1)?.print === print) return;
    throw refused(
      `got a list of versions without ${print}: the switch was taken back, and nothing is deployed`,
      this.#choice.pipeline,
    );
  }

  async #source({ partitions }: VersionFacts): Promise<SwitchSource> {
    const { clients, deployment } = this.#open;
    const { streamArn } = await readMapping(clients.lambda, deployment.mappingId);
    return { ledger: this.#ledger, kinesis: clients.kinesis, streamArn, partitions };
  }

  get #leadMs(): number {
    return leadMsOf(this.#choice.environment);
  }

  get #ledger() {
    const { clients, deployment } = this.#open;
    return makeAwsTable({
      client: clients.dynamoDb,
      tableName: deployment.ledgerTable,
      clock: systemClock,
    });
  }

  #context(): RetryContext {
    return { clock: systemClock, random: systemRandom, deadlineMs: Date.now() + CALL_MS };
  }

  async #checkClock(): Promise<void> {
    const { clients, deployment } = this.#open;
    const ms = await clockDifferenceMs(clients.dynamoDb, deployment.ledgerTable);
    if (Math.abs(ms) <= CLOCK_MS) return;
    throw refused(
      `got a clock that differs by ${Math.round(ms / 1000)} s from that of the service, expected at most ${CLOCK_MS / 1000} s: set it`,
      this.#choice.pipeline,
    );
  }

  async #told<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof SwitchRefusedError)) throw error;
      throw refused(error.message, this.#choice.pipeline, error);
    }
  }
}

/** The least time from an announcement to the switch in an environment, milliseconds. */
export function leadMsOf(environment: string): number {
  return environment === 'local' ? LEAD_LOCAL_MS : LEAD_MS;
}

function refused(detail: string, pipeline: string, cause?: unknown): CommandError {
  return new CommandError('The switch is not possible', {
    exitCode: EXIT.no,
    detail,
    next: `npx millrace switch --pipeline ${pipeline} --dry-run`,
    cause,
  });
}
