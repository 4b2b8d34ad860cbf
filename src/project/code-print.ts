import { createHash } from 'node:crypto';
import path from 'node:path';
import { buildSync } from 'esbuild';

/**
 * A print of everything that a pipeline's file runs: its own code, the files that it imports and the packages,
 * such as the schema library, in the versions that are installed. Comments, formatting and the names of local
 * variables don't change it. Millrace's own code is left out: `DECISION_RULES` stands for it.
 *
 * Two files with one print decide alike. The other way round it is careful: a changed objective changes it too.
 *
 * @param file absolute path of a pipeline.ts
 * @returns 16 hexadecimal digits
 * @throws what esbuild throws where the file can't be bundled
 */
export function codePrintOf(file: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [file],
    // Paths stand in the code of CommonJS packages: they must not tell where the checkout is.
    absWorkingDir: path.dirname(file),
    bundle: true,
    minify: true,
    write: false,
    charset: 'utf8',
    external: ['#millrace'],
    format: 'esm',
    legalComments: 'none',
    logLevel: 'silent',
    mainFields: ['module', 'main'],
    platform: 'node',
    target: 'node24',
  });
  const hash = createHash('sha256');
  for (const { contents } of outputFiles) hash.update(contents);
  return hash.digest('hex').slice(0, 16);
}
