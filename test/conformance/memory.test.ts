import { makeMemoryBucket } from '../../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import { bucketSuite, clockSuite, randomSuite, streamSuite } from './others.ts';
import { tableSuite } from './table.ts';

tableSuite('memory', async () => makeMemoryTable());
bucketSuite('memory', async () => makeMemoryBucket());
streamSuite('memory', async () =>
  makeMemoryStream({ arn: 'arn:aws:kinesis:eu-west-1:1:stream/s', createdMs: 1 }),
);
clockSuite('skipping clock', () => makeSkippingClock(0));
randomSuite('seeded', () => makeSeededRandom(1));
