import { makeScale } from '../handlers/scale.ts';
import type { ShardScaler } from '../ports/shard-scaler.ts';
import type { ActsOptions } from './acts.ts';
import { below } from './randoms.ts';
import type { SimResize } from './schedule.ts';

const MINUTE_MS = 60_000;
const TIMEOUT_MS = 30_000;

/** CloudWatch tells of a minute so long after its end. */
const METRICS_LATE_MS = 60_000;

/** Splitting or merging all shards takes about so long. */
const RESIZE_MS = { least: 30_000, most: 120_000 } as const;

/** The function that scales the stream, on its schedule, and what AWS does when it is asked. */
export class Scaling {
  readonly #options: ActsOptions;
  readonly #resizes: SimResize[] = [];
  #changing = false;

  constructor(options: ActsOptions) {
    this.#options = options;
  }

  /** Each change that was made. */
  get resizes(): readonly SimResize[] {
    return this.#resizes;
  }

  /** Each minute as long as events come. */
  async run(): Promise<void> {
    const { simulated, clock, producer } = this.#options;
    if (simulated.scaling === undefined) return;
    while (!producer.isDone) {
      await clock.sleep(MINUTE_MS, 'background');
      this.#look();
    }
  }

  #look(): void {
    const { simulated, clock, dice, lambda } = this.#options;
    const { scaling } = simulated;
    if (scaling === undefined) return;
    const container = lambda.newContainer('scaler');
    const deadlineMs = clock.now() + TIMEOUT_MS;
    container.start({ id: 'scale', records: [], endMs: deadlineMs });
    const { ledger, random } = container.ports;
    const ports = { clock: container.ports.clock, random, ledger, scaler: this.#scaler };
    // What fails is tried again a minute later.
    makeScale(
      ports,
      scaling,
    )({ requestId: 'scale', deadlineMs }).catch(() => dice.count('failed scaler'));
  }

  readonly #scaler: ShardScaler = {
    count: async () => ({ open: this.#options.stream.open.length, changing: this.#changing }),
    load: async (fromMs) => {
      const { stream, clock } = this.#options;
      const toldMs = clock.now() - MINUTE_MS - METRICS_LATE_MS;
      return stream.minutes.filter(({ startMs }) => startMs >= fromMs && startMs <= toldMs);
    },
    resize: async (shards) => {
      this.#changing = true;
      this.#resize(shards);
    },
  };

  async #resize(shards: number): Promise<void> {
    const { stream, clock, source, dice, trace, random } = this.#options;
    await clock.sleep(RESIZE_MS.least + below(random, RESIZE_MS.most - RESIZE_MS.least));
    for (const child of stream.resize(shards)) source.addShard(child);
    this.#changing = false;
    this.#resizes.push({ atMs: clock.now(), shards });
    dice.count('resize');
    trace.add(clock.now(), 'stream', `scaled to ${shards} shards`);
  }
}
