import { readFileSync } from 'node:fs';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';
import { instrument, type Mode } from './instrument.ts';
import type { MutatedFile } from './mutants.ts';

/**
 * One script with a battery of simulations and every mutant in it. It is the body of a function of
 * `module`, `exports`, `require`, and `$m` (the acting mutant) or `$c` (an array that notes which are
 * reached): calling it anew starts from fresh modules.
 *
 * @param battery the file that exports `SCHEDULES`
 */
export async function bundle(
  root: string,
  battery: string,
  { files, mode }: { readonly files: readonly MutatedFile[]; readonly mode: Mode },
): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [path.resolve(root, battery)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'silent',
    plugins: [mutating(root, files, mode)],
  });
  return outputFiles.map(({ text }) => text).join('\n');
}

function mutating(root: string, files: readonly MutatedFile[], mode: Mode): Plugin {
  const byPath = new Map(files.map((one) => [path.resolve(root, one.file), one]));
  return {
    name: 'mutants',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path: found }) => {
        const file = byPath.get(found);
        const contents =
          file === undefined
            ? readFileSync(found, 'utf8')
            : instrument(file.text, file.sites, mode);
        return { contents, loader: 'ts' };
      });
    },
  };
}
