import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import { announceSwitch } from '../handlers/announce-switch.ts';
import type { Random } from '../ports/random.ts';
import type { VirtualClock } from './clock.ts';
import { below } from './randoms.ts';
import type { Trace } from './trace.ts';
import type { SimWorld } from './world.ts';

/** A version of the pipeline that follows another one. */
export interface SimVersion {
  readonly pipeline: AnyPipeline;
  /** Makes the program of one container; `die` ends that container at once. */
  readonly program: (die: () => void) => Program;
  /** Arrival of the first record that it decides on, milliseconds since 1970 UTC. */
  readonly fromMs: number;
  /** When that is announced. Where the switch before is still under way, both come later. */
  readonly announceMs: number;
}

/** What a rollout needs. */
export interface RolloutOptions {
  readonly versions: readonly SimVersion[];
  readonly first: SimVersion['program'];
  readonly world: SimWorld;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace;
  /** True when every record that arrived before this time is finished. */
  readonly isFinishedBefore: (arrivalMs: number) => boolean;
  readonly onViolation: (text: string) => void;
}

/** How often it is looked whether the version before has finished, milliseconds. */
const LOOK_MS = 500;
/** Longest time in which new containers are of either version, milliseconds. */
const MIX_MS = 20_000;
/** A record's arrival may be noted a little before it can be read, milliseconds. */
const SETTLE_MS = 1_000;

/**
 * Deploys one version after the other, as `millrace switch` does: announces, waits until everything before the
 * switch is finished, deploys. Careless in what that allows: for some time before the switch, and again while it
 * is deployed, an invocation runs either version.
 */
export class Rollout {
  readonly #options: RolloutOptions;
  #serving: readonly number[] = [0];
  /** From when on each version decides, as it was announced. */
  readonly #fromMs: number[] = [];
  #isDone: boolean;

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.#isDone = options.versions.length === 0;
  }

  /** True when the last version alone is deployed. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The versions that were announced, with the arrivals from which they decide. */
  get announced(): readonly SimVersion[] {
    return this.#options.versions.flatMap((version, index) => {
      const fromMs = this.#fromMs[index];
      return fromMs === undefined ? [] : [{ ...version, fromMs }];
    });
  }

  /** The version of a container for the next invocation: 0 is the first. */
  draw(): number {
    const serving = this.#serving;
    if (serving.length === 1) return serving[0] ?? 0;
    return serving[below(this.#options.random, serving.length)] ?? 0;
  }

  /** Whether a warm container of a version may still be invoked. */
  serves(version: number): boolean {
    return this.#serving.includes(version);
  }

  /** The program of a version. */
  programOf(version: number): SimVersion['program'] {
    return this.#options.versions[version - 1]?.program ?? this.#options.first;
  }

  /** Starts everything. */
  start(): void {
    if (this.#isDone) return;
    this.#run().catch((error: unknown) => this.#options.onViolation(`rollout: ${String(error)}`));
  }

  async #run(): Promise<void> {
    for (const [index, version] of this.#options.versions.entries()) {
      await this.#switchTo(index + 1, version);
    }
    this.#isDone = true;
  }

  async #switchTo(number: number, version: SimVersion): Promise<void> {
    const { clock, random, isFinishedBefore } = this.#options;
    await clock.sleep(Math.max(0, version.announceMs - clock.now()));
    const fromMs = version.fromMs + Math.max(0, clock.now() - version.announceMs);
    this.#fromMs.push(fromMs);
    await this.#announce(number, fromMs);
    await clock.sleep(below(random, Math.max(1, fromMs - clock.now())));
    await this.#mix(number, below(random, 2_000));
    this.#serve([number - 1]);
    await clock.sleep(Math.max(0, fromMs + SETTLE_MS - clock.now()));
    while (!isFinishedBefore(fromMs)) await clock.sleep(LOOK_MS);
    await this.#mix(number, below(random, MIX_MS));
    this.#serve([number]);
  }

  async #announce(number: number, atMs: number): Promise<void> {
    const { clock, random, world } = this.#options;
    const print = (version: number) => this.programOf(version)(() => undefined).fingerprint;
    const switching = { from: print(number - 1), to: print(number), atMs, leadMs: 0 };
    const context = { clock, random, deadlineMs: Number.POSITIVE_INFINITY };
    await announceSwitch(world.ledger, switching, context);
    this.#note(`version ${number} announced from ${new Date(atMs).toISOString()}`);
  }

  async #mix(number: number, ms: number): Promise<void> {
    this.#serve([number - 1, number]);
    await this.#options.clock.sleep(ms);
  }

  #serve(versions: readonly number[]): void {
    this.#serving = versions;
    this.#note(`deployed: version ${versions.join(' or ')}`);
  }

  #note(text: string): void {
    const { trace, clock } = this.#options;
    trace.add(clock.now(), 'rollout', text);
  }
}
