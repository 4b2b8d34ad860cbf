import { durationMs } from '../core/duration.ts';
import { GB, MONTH_S } from './assumptions.ts';
import { type CostLine, costLine, short } from './cost-line.ts';
import type { Month } from './month.ts';
import { archiveOf, type Planned } from './planned.ts';

const MILLION = 1e6;
const DAY_S = 86_400;

/** S3 leaves smaller objects in Standard. */
const CLASS_BYTES_MIN = 128 * 1_024;

/** Lines of the archive, but for what its tails cost in storage: nothing. */
export function archiveCost(planned: Planned, month: Month): readonly CostLine[] {
  const archive = archiveOf(planned);
  if (archive === false) return [];
  const calls = month.total((usage) => usage.archive?.calls ?? 0);
  const seconds = month.total((usage) => usage.archive?.callSeconds ?? 0);
  const puts = month.total((usage) => usage.archive?.puts ?? 0);
  const units = month.total((usage) => usage.archive?.writeUnits ?? 0);
  const gb = archive.memoryMb / 1_024;
  return [
    costLine(['Archive', 'calls'], `${short(calls)} batches`, [
      calls / MILLION,
      'lambdaRequestsMillion',
    ]),
    costLine(
      ['Archive', 'memory'],
      `the same x ${short((seconds / Math.max(1, calls)) * 1000)} ms x ${short(gb)} GB`,
      [seconds * gb, 'lambdaGbSecond'],
    ),
    costLine(['Archive', 'objects'], `${short(puts)} PUT`, [puts / MILLION, 'bucketPutsMillion']),
    costLine(['Archive', 'tails'], `a write unit an object`, [
      units / MILLION,
      'writeUnitsMillion',
    ]),
    ...classCost(planned, month),
  ];
}

/** What is stored, once as much is deleted as comes; by its age in the class of that age. */
function classCost(planned: Planned, month: Month): readonly CostLine[] {
  const archive = archiveOf(planned);
  if (archive === false) return [];
  const days = (planned.program.settings.retention.archiveMs ?? 0) / 86_400_000;
  const daysOf = (age: typeof archive.glacier) =>
    age === null ? days : Math.min(days, durationMs('archive', age) / 86_400_000);
  const gbDay = (month.mean((usage) => usage.archive?.storedBytes ?? 0) * DAY_S) / GB;
  const objectBytes = gbDay === 0 ? 0 : objectBytesOf(month);
  const moves = objectBytes >= CLASS_BYTES_MIN;
  const [infrequent, glacier] = moves
    ? [Math.min(daysOf(archive.infrequentAccess), daysOf(archive.glacier)), daysOf(archive.glacier)]
    : [days, days];
  const objects = month.total((usage) => usage.archive?.puts ?? 0) / MILLION;
  const of = (from: number, to: number) => `${short(gbDay)} GB a day x ${short(to - from)} days`;
  return [
    costLine(['Archive', 'Standard'], of(0, infrequent), [gbDay * infrequent, 'bucketGbMonth']),
    costLine(['Archive', 'Infrequent Access'], of(infrequent, glacier), [
      gbDay * (glacier - infrequent),
      'infrequentGbMonth',
    ]),
    costLine(['Archive', 'Glacier Instant Retrieval'], of(glacier, days), [
      gbDay * (days - glacier),
      'glacierGbMonth',
    ]),
    costLine(['Archive', 'to Infrequent Access'], 'a transition an object', [
      glacier > infrequent ? objects : 0,
      'infrequentMillion',
    ]),
    costLine(['Archive', 'to Glacier'], 'a transition an object', [
      days > glacier ? objects : 0,
      'glacierMillion',
    ]),
  ];
}

function objectBytesOf(month: Month): number {
  const bytes = month.mean((usage) => usage.archive?.storedBytes ?? 0) * MONTH_S;
  return bytes / month.total((usage) => usage.archive?.puts ?? 1);
}
