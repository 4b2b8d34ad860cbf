import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from './sources.ts';

/**
 * A copy of the checkout's own files in a temporary folder, with the packages and the virtual
 * environment of this one: what a user has after the set-up.
 */
export function cloneCheckout(): string {
  const clone = mkdtempSync(path.join(tmpdir(), 'millrace-clone-'));
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of listed.split('\n').filter((one) => existsSync(path.join(ROOT, one)))) {
    if (file === '') continue;
    mkdirSync(path.dirname(path.join(clone, file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(clone, file));
  }
  mkdirSync(path.join(clone, '.millrace'));
  for (const shared of ['node_modules', '.millrace/venv']) {
    symlinkSync(path.join(ROOT, shared), path.join(clone, shared));
  }
  return clone;
}

/**
 * Ends the names of a test's pipelines where the tests run against a cloud that outlives them: what
 * earlier runs left there is in other tables.
 */
export const NAME_END =
  process.env.AWS_ENDPOINT_URL === undefined ? '' : `-${Date.now().toString(36)}`;

/** Copies a pipeline's folder within a clone, under another name. */
export function copyPipeline(clone: string, from: string, name: string): string {
  const folder = path.join(clone, 'pipelines', name);
  cpSync(path.join(clone, 'pipelines', from), folder, { recursive: true });
  const file = path.join(folder, 'pipeline.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace(`name: '${from}'`, `name: '${name}'`));
  return file;
}
