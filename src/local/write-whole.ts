import { renameSync, writeFileSync } from 'node:fs';

/** Writes a file so that it is there as a whole or not at all, also when this process is killed meanwhile. */
export function writeWhole(file: string, text: string): void {
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, text);
  renameSync(partial, file);
}
