import type { GenerationComparison, WindowComparison } from '../local/replay/compare.ts';
import type { ReplayEstimate } from '../local/replay/estimate.ts';
import type { ReplaySums } from '../local/replay/run.ts';

/** A whole number with separators. */
function many(count: number): string {
  return count.toLocaleString('en-US');
}

/** What a dry run says. */
export function estimateText(estimate: ReplayEstimate): string {
  const { tried, events, bytes, repeated, quarantined, rows, minutes, dollars, gaps } = estimate;
  const exact = tried >= 1 ? '' : 'about ';
  return [
    tried >= 1
      ? 'tried in memory, all of it; nothing was written'
      : `tried in memory, ${(tried * 100).toFixed(1)} % of it, and reckoned from that; nothing was written`,
    `events    ${exact}${many(events)}, ${many(bytes)} bytes`,
    `  of them ${exact}${many(repeated)} counted already: they change nothing`,
    `  of them ${exact}${many(quarantined)} into quarantine`,
    `rows      ${many(rows)} written${tried >= 1 ? '' : ' by what was tried'}`,
    `cost      about $${dollars.toFixed(4)}: ${exact}${many(estimate.writeUnits)} write units, ${many(estimate.readUnits)} read units, and the function's time`,
    `time      about ${minutes < 1 ? `${Math.ceil(minutes * 60)} s` : `${Math.ceil(minutes)} minutes`}`,
    ...gaps.map(
      ({ epoch, shard, after, until }) =>
        `gap       shard ${shard} of ${epoch}, after ${after ?? 'its beginning'} until ${until}: refused without --accept-gaps`,
    ),
  ].join('\n');
}

/** One line of progress. */
export function progressText(sums: ReplaySums, secondsLeft: number | undefined): string {
  const left = secondsLeft === undefined ? '' : `, ${timeText(secondsLeft)} left`;
  const waiting = sums.state === 'waiting' ? ', waiting for the archiver' : '';
  return `${(sums.fraction * 100).toFixed(1)} %  ${many(sums.read)} events (${many(Math.round(sums.read / Math.max(1, sums.seconds)))}/s)${left}${waiting}`;
}

function timeText(seconds: number): string {
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
}

/** What was done. */
export function sumsText(sums: ReplaySums): string {
  const { read, repeated, accepted, duplicates, quarantined } = sums;
  return [
    `${many(read)} events read in ${sums.seconds.toFixed(1)} s`,
    `${many(repeated)} were counted already and changed nothing`,
    `${many(accepted)} counted, ${many(duplicates)} sent twice, ${many(quarantined)} into quarantine`,
    ...sums.gaps.map(
      ({ shard, after, until }) =>
        `missing in the archive: shard ${shard} after ${after ?? 'its beginning'} until ${until}`,
    ),
  ].join('\n');
}

/** How two generations differ. */
export function comparisonText(
  compared: GenerationComparison & { readonly left: string; readonly right: string },
): string {
  const { left, right, windows, onlyLeft, onlyRight } = compared;
  return [
    `generation ${left} and generation ${right}, windows that are whole in both`,
    ...windows.map((window) => windowText(window, left, right)),
    ...onlyLeft.map((name) => `${name}: only in generation ${left}`),
    ...onlyRight.map((name) => `${name}: only in generation ${right}`),
  ].join('\n');
}

function windowText(compared: WindowComparison, left: string, right: string): string {
  const { window, equal, changed, onlyLeft, onlyRight, columns, samples } = compared;
  return [
    `${window}: ${many(equal)} rows are equal, ${many(changed)} differ, ${many(onlyLeft)} only in ${left}, ${many(onlyRight)} only in ${right}`,
    ...columns.map(({ column, rows, difference, largest }) => {
      const numbers =
        difference === undefined
          ? ''
          : `, ${difference > 0 ? '+' : ''}${difference} in all, ${largest} at most in a row`;
      return `  ${column}: ${many(rows)} rows${numbers}`;
    }),
    ...samples.map(
      ({ start, group, columns: values }) =>
        `  such as ${start} ${JSON.stringify(group)} ${JSON.stringify(values)}`,
    ),
  ].join('\n');
}
