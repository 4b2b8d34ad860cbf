#!/usr/bin/env node
import { main } from '../src/cli/main.ts';

const interruption = new AbortController();
const interrupt = () => interruption.abort(new Error('interrupted'));
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
for (const name of signals) process.on(name, interrupt);
// The terminal may be gone: what can't be written must not keep what was started from being stopped.
process.stdout.on('error', interrupt);
process.stderr.on('error', interrupt);

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  signal: interruption.signal,
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  exitCode: 0,
});
for (const name of signals) process.off(name, interrupt);
