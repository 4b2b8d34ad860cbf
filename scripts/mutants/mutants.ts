import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { findSites } from './find.ts';
import type { NumberedSite } from './instrument.ts';
import type { MutatorName } from './mutators.ts';

/** One change of the sources. */
export interface Mutant {
  /** 1, 2, 3 and so on, over all files. */
  readonly id: number;
  /** From the root, with `/`. */
  readonly file: string;
  readonly mutator: MutatorName;
  /** From 1. */
  readonly line: number;
  /** What stands there, and what stands in its place: '' where it is left out. */
  readonly from: string;
  readonly to: string;
  /** The line, or the first of them, without the spaces around it, and the changed place marked: `if («a < b»)`. */
  readonly place: string;
}

/** A source file with its numbered mutants. */
export interface MutatedFile {
  readonly file: string;
  readonly text: string;
  readonly sites: readonly NumberedSite[];
  readonly mutants: readonly Mutant[];
}

/**
 * Every mutant of some files, numbered in their order.
 *
 * @param root the checkout
 * @param globs paths from the root, such as `src/core/*.ts`
 */
export function findMutants(root: string, globs: readonly string[]): readonly MutatedFile[] {
  const files = new Set(
    globs
      .flatMap((glob) => globSync(glob, { cwd: root }))
      .map((file) => file.replaceAll(path.sep, '/')),
  );
  let count = 0;
  return [...files].sort().map((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    const sites = findSites(text).map((site) => ({
      ...site,
      ids: site.changes.map(() => {
        count += 1;
        return count;
      }),
    }));
    return { file, text, sites, mutants: sites.flatMap((site) => mutantsOf(file, text, site)) };
  });
}

function mutantsOf(file: string, text: string, site: NumberedSite): readonly Mutant[] {
  return site.changes.map(({ mutator, to }, index) => ({
    id: site.ids[index] ?? 0,
    file,
    mutator,
    line: text.slice(0, site.start).split('\n').length,
    from: text.slice(site.start, site.end),
    to,
    place: placeOf(text, site),
  }));
}

function placeOf(text: string, { start, end }: NumberedSite): string {
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  const [from = '', ...more] = text.slice(start, end).split('\n');
  const [after = ''] = more.length > 0 ? [] : text.slice(end).split('\n', 1);
  return `${before}«${from}»${after}`.trim();
}
