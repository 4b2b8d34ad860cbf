import { ARCHIVE_PREFIX } from './contract.ts';
import { InvariantError, show } from './errors.ts';
import { compareSequences } from './position.ts';

/**
 * The stored form of the archive: objects of consecutive records of one shard, as lines of JSON, under
 * a name from which everything but the bytes can be told.
 */

/** A record as it was in the stream. */
export interface ArchivedRecord {
  /** Kinesis sequence number, decimal digits without leading zeros. */
  readonly sequence: string;
  readonly partitionKey: string;
  /** Approximate arrival, milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

/**
 * The positions of a shard that an object holds: all records after `after`, or, where it is not known
 * what came before, all from `first`; up to and with `last`.
 */
export interface ArchiveInterval {
  readonly after: string | undefined;
  readonly first: string;
  readonly last: string;
}

/** What an object's name says. */
export interface ArchiveObject extends ArchiveInterval {
  readonly epoch: string;
  readonly shard: number;
  /** Start of the hour in which all its records arrived, milliseconds since 1970 UTC. */
  readonly hourMs: number;
}

const HOUR_MS = 3_600_000;
const ENDING = '.jsonl.zst';
const UNKNOWN = 'unknown';
const SEQUENCE = String.raw`(\d{3}-(?:0|[1-9]\d*))`;
const NAME = new RegExp(
  String.raw`^day=(\d{4}-\d\d-\d\d)/hour=(\d\d)/([^./]+)\.(\d{12})\.${SEQUENCE}\.${SEQUENCE}\.(?:${SEQUENCE}|${UNKNOWN})\.jsonl\.zst$`,
);

/** Start of the hour of a time, both in milliseconds since 1970 UTC. */
export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

/** The keys of an hour's objects start with this; the byte order of the prefixes is the order of the hours. */
export function archiveHourPrefix(hourMs: number): string {
  const text = new Date(hourMs).toISOString();
  return `${ARCHIVE_PREFIX}day=${text.slice(0, 10)}/hour=${text.slice(11, 13)}/`;
}

/** The keys of one shard's objects of an hour start with this. */
export function archiveShardPrefix(hourMs: number, epoch: string, shard: number): string {
  return `${archiveHourPrefix(hourMs)}${epoch}.${String(shard).padStart(12, '0')}.`;
}

/**
 * The object's key, such as
 * `archive/v1/day=2026-11-24/hour=13/t4x9k2-1f3a9c0d.000000000006.056-4959….056-4960….056-4958….jsonl.zst`:
 * first, last and after. Within an hour and shard the byte order of the keys is the order of the positions.
 */
export function archiveObjectKey(object: ArchiveObject): string {
  const after = object.after === undefined ? UNKNOWN : sortable(object.after);
  const prefix = archiveShardPrefix(object.hourMs, object.epoch, object.shard);
  return `${prefix}${sortable(object.first)}.${sortable(object.last)}.${after}${ENDING}`;
}

/** @throws InvariantError when the key is not one that `archiveObjectKey` made */
export function parseArchiveKey(key: string): ArchiveObject {
  const match = key.startsWith(ARCHIVE_PREFIX) ? NAME.exec(key.slice(ARCHIVE_PREFIX.length)) : null;
  const [, day = '', hour = '', epoch = '', shard = '', first = '', last = '', after] = match ?? [];
  const hourMs = Date.parse(`${day}T${hour}:00:00Z`);
  if (match === null || Number.isNaN(hourMs)) {
    throw new InvariantError(
      `archive: got object ${show(key)}, expected names that the archiver writes; nothing else may stand below ${ARCHIVE_PREFIX}`,
    );
  }
  return {
    epoch,
    shard: Number(shard),
    hourMs,
    after: after === undefined ? undefined : plain(after),
    first: plain(first),
    last: plain(last),
  };
}

/** A sequence number as a text whose byte order is the order of the numbers: its length comes first. */
function sortable(sequence: string): string {
  return `${String(sequence.length).padStart(3, '0')}-${sequence}`;
}

function plain(text: string): string {
  return text.slice(4);
}

const utf8 = new TextEncoder();
/** A byte order mark stays where it is: the bytes must come back as they were. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The lines of an object, not compressed yet: see ARCHIVE_COLUMNS. */
export function encodeArchiveLines(shard: number, records: readonly ArchivedRecord[]): Uint8Array {
  const lines = records.map(({ sequence, partitionKey, arrivalMs, bytes }) => {
    const head = { shard, sequence, arrival_ms: arrivalMs, partition_key: partitionKey };
    return `${JSON.stringify({ ...head, ...bodyOf(bytes) })}\n`;
  });
  return utf8.encode(lines.join(''));
}

function bodyOf(bytes: Uint8Array): { readonly text: string } | { readonly base64: string } {
  try {
    return { text: strict.decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

/**
 * The records of an object whose lines were taken out of their compression.
 *
 * @throws InvariantError when they are not what the object's name says
 */
export function decodeArchiveLines(object: ArchiveObject, lines: Uint8Array): ArchivedRecord[] {
  const texts = strict.decode(lines).split('\n');
  if (texts.pop() !== '') throw damaged(object, 'an end within a line');
  const records = texts.map((text) => decodeLine(object, text));
  const inOrder = records.every(
    ({ sequence }, index) =>
      index === 0 || compareSequences(records[index - 1]?.sequence ?? '', sequence) < 0,
  );
  const { first, last } = object;
  if (!inOrder || records[0]?.sequence !== first || records.at(-1)?.sequence !== last) {
    throw damaged(object, 'other records');
  }
  return records;
}

function decodeLine(object: ArchiveObject, line: string): ArchivedRecord {
  const found: unknown = parseJson(line);
  const get = (name: string) =>
    typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined;
  const [sequence, arrivalMs, partitionKey] = ['sequence', 'arrival_ms', 'partition_key'].map(get);
  const bytes = bytesOf(get('text'), get('base64'));
  if (
    typeof sequence !== 'string' ||
    typeof arrivalMs !== 'number' ||
    typeof partitionKey !== 'string' ||
    bytes === undefined ||
    get('shard') !== object.shard
  ) {
    throw damaged(object, 'a line of another form');
  }
  return { sequence, partitionKey, arrivalMs, bytes };
}

function bytesOf(text: unknown, base64: unknown): Uint8Array | undefined {
  if (typeof text === 'string') return utf8.encode(text);
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function damaged(object: ArchiveObject, got: string): InvariantError {
  return new InvariantError(
    `archive object ${archiveObjectKey(object)}: got ${got}, expected the records that its name says; restore an earlier version of it`,
  );
}
