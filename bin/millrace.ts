#!/usr/bin/env node
import { main } from '../src/cli/main.ts';

const interruption = new AbortController();
const interrupt = () => interruption.abort(new Error('interrupted'));
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  signal: interruption.signal,
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  exitCode: 0,
});
process.off('SIGINT', interrupt);
process.off('SIGTERM', interrupt);
