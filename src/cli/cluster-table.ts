import pc from 'picocolors';
import type { Cluster } from '../core/cluster.ts';

/** A count as a person reads it. */
export function counted(count: number): string {
  return count.toLocaleString('en-US');
}

/** Causes with their counts, one a paragraph. */
export function clusterTable(clusters: readonly Cluster[]): string {
  return clusters
    .map(({ count, reason, path: at, source, first, last, expected, samples }) =>
      [
        `${pc.bold(counted(count).padStart(9))}  ${reason}${at === '' ? '' : ` at ${at}`}${source === '' ? '' : `, from ${source}`}`,
        `           ${first} to ${last}`,
        `           ${expected}`,
        `           such as ${samples.join(' ')}`,
      ].join('\n'),
    )
    .join('\n');
}
