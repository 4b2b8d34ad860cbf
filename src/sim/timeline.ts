import type { SimResult, SimRun } from './schedule.ts';
import type { SimRecord } from './stream.ts';

/** Entries that a text shows at most. */
const LINES_MAX = 150;

/** Records that are listed at most, and characters of one that are shown. */
const RECORDS_MAX = 40;
const BYTES_SHOWN = 100;

/** As much of a result as is told. */
export type Told = Pick<SimResult, 'trace' | 'startMs' | 'runs' | 'records' | 'fateOf'>;

/** What happened: each record with its tries and its end, then everything in its order: when, who, what. */
export function timelineText(result: Told): string {
  return [...recordLines(result), '', ...eventLines(result)].join('\n');
}

function recordLines({ records, runs, fateOf }: Told): readonly string[] {
  const left = records.length - RECORDS_MAX;
  const lines = records
    .slice(0, RECORDS_MAX)
    .flatMap((record) => [
      `${placeOf(record)}  ${record.partitionKey}  ${textOf(record)}`,
      `    ${triesOf(record, runs)}: ${[...new Set(record.units.map(fateOf))].join(', ')}`,
    ]);
  return [...lines, ...(left > 0 ? [`(${left} more records)`] : [])];
}

function eventLines({ trace, startMs }: Told): readonly string[] {
  const left = trace.length - LINES_MAX;
  const lines = trace
    .slice(-LINES_MAX)
    .map(({ nowMs, actor, text }) => `${seconds(nowMs - startMs)}  ${actor.padEnd(8)} ${text}`);
  return [...(left > 0 ? [`(${left} earlier entries left out)`] : []), ...lines];
}

/** Shard and sequence number. */
export function placeOf({ shard, sequence, incarnation }: SimRecord): string {
  return `${shard}:${sequence}${incarnation === 0 ? '' : ` (stream ${incarnation + 1})`}`;
}

function triesOf(record: SimRecord, runs: readonly SimRun[]): string {
  const own = runs.filter(({ records }) => records.includes(record));
  return own.map(({ id, ending }) => `${id} ${ending}`).join(', ') || 'never in a run';
}

/** The event's id and data where it is a CloudEvent, else the bytes as text. */
function textOf({ bytes }: SimRecord): string {
  const text = briefly(Buffer.from(bytes).toString());
  return text.length > BYTES_SHOWN ? `${text.slice(0, BYTES_SHOWN)}...` : text;
}

function briefly(text: string): string {
  try {
    const { id, data } = JSON.parse(text);
    return id === undefined ? text : `${id} ${JSON.stringify(data)}`;
  } catch {
    return text;
  }
}

/** Seconds since the start, in nine places. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(9)} s`;
}
