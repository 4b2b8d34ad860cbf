import { type CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';

/** What is read. */
export interface LogReaderOptions {
  readonly client: Pick<CloudWatchLogsClient, 'send'>;
  readonly groups: readonly string[];
  /** Lines from then on, milliseconds since 1970. */
  readonly sinceMs: number;
  /** Called with each line once. */
  readonly onLine: (group: string, line: string, atMs: number) => void;
}

/** Lines may come to be seen so much later than their time, milliseconds. */
const LATE_MS = 15_000;

/**
 * Follows groups of logs. Each invocation of the emulator has a stream of its own, so groups are read as a
 * whole.
 *
 * Invariant: an event is seen again only while its id is remembered; ids are forgotten when their time is
 * too far back to be asked for.
 */
export class LogReader {
  readonly #options: LogReaderOptions;
  /** Time of each event that was seen, by its group and id. */
  readonly #seen = new Map<string, number>();
  #newestMs: number;

  constructor(options: LogReaderOptions) {
    this.#options = options;
    this.#newestMs = options.sinceMs;
  }

  /** Reads what is new. */
  async read(): Promise<void> {
    const startMs = Math.max(this.#options.sinceMs, this.#newestMs - LATE_MS);
    for (const group of this.#options.groups) await this.#readGroup(group, startMs);
    for (const [id, atMs] of this.#seen) if (atMs < startMs) this.#seen.delete(id);
  }

  async #readGroup(group: string, startMs: number): Promise<void> {
    const { client, onLine } = this.#options;
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new FilterLogEventsCommand({ logGroupName: group, startTime: startMs, nextToken }),
      );
      for (const { eventId = '', logStreamName = '', message = '', timestamp = 0 } of page.events ??
        []) {
        // The emulator gives no ids: then equal lines of one moment count once.
        const id = [group, logStreamName, eventId || `${timestamp}|${message}`].join('|');
        if (this.#seen.has(id)) continue;
        this.#seen.set(id, timestamp);
        this.#newestMs = Math.max(this.#newestMs, timestamp);
        onLine(group, message, timestamp);
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  }
}
