import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Bucket } from '../../ports/bucket.ts';
import type { Clock } from '../../ports/clock.ts';
import { sendOnce } from './send.ts';

/** What a bucket is reached with. */
export interface AwsBucketOptions {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly clock: Clock;
}

/** An S3 bucket; it encrypts with its own default key. */
export function makeAwsBucket({ client, bucketName, clock }: AwsBucketOptions): Bucket {
  return {
    put: async (key, body, contentType, { deadlineMs }) => {
      const command = new PutObjectCommand({
        Bucket: bucketName,
        Key: key,
        Body: body,
        ContentType: contentType,
      });
      await sendOnce(`PutObject ${bucketName}`, { clock, deadlineMs }, (send) =>
        client.send(command, send),
      );
    },
    get: async (key, { deadlineMs }) => {
      const command = new GetObjectCommand({ Bucket: bucketName, Key: key });
      return sendOnce(`GetObject ${bucketName}`, { clock, deadlineMs }, async (send) => {
        try {
          const answer = await client.send(command, send);
          return await answer.Body?.transformToByteArray();
        } catch (error) {
          if (error instanceof NoSuchKey) return undefined;
          throw error;
        }
      });
    },
    list: async ({ prefix, after, limit }, { deadlineMs }) => {
      const command = new ListObjectsV2Command({
        Bucket: bucketName,
        Prefix: prefix,
        ...(after === undefined ? {} : { StartAfter: after }),
        ...(limit === undefined ? {} : { MaxKeys: limit }),
      });
      const page = await sendOnce(`ListObjectsV2 ${bucketName}`, { clock, deadlineMs }, (send) =>
        client.send(command, send),
      );
      const keys = (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
      return { keys, next: page.IsTruncated === true ? keys.at(-1) : undefined };
    },
  };
}
