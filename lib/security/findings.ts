import { type Stack, Validations } from 'aws-cdk-lib';
import {
  ARCHIVE_PREFIX,
  FAILURE_PREFIX,
  QUARANTINE_PREFIX,
  REDRIVE_PREFIX,
} from '../../src/core/contract.ts';
import { FIRST_GENERATION, quarantineFolder } from '../../src/core/generation.ts';

/** A finding of cdk-nag that is meant to be so, and why. */
export interface Acknowledged {
  readonly id: string;
  readonly reason: string;
}

/** Findings in the data stack. */
const DATA_FINDINGS: readonly Acknowledged[] = [
  {
    id: 'AwsSolutions-S1',
    reason:
      'Quarantine and archive are written by one function of the account each; who reads them is in CloudTrail data events, which an account turns on as a whole.',
  },
  {
    id: 'AwsSolutions-KDS3',
    reason:
      'The pipeline’s own key decides who reads events; its calls cost about $0.31 a month and stream (12 each 5 minutes).',
  },
  {
    id: 'AwsSolutions-SQS3',
    reason: 'The queue is the dead-letter queue of the event bus, which the check does not know.',
  },
];

/** Findings in stacks of functions. The bucket is named by its export from the data stack. */
function functionFindings(data: Stack, folder: string): readonly Acknowledged[] {
  const bucket = `Resource::${data.stackName}:ExportsOutputFnGetAttQuarantineBucketFDBDA180ArnF4FA0A61`;
  const archive = `Resource::${data.stackName}:ExportsOutputFnGetAttArchiveBucket49F1AC64Arn3FBD647E`;
  return [
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: 'It only lets a function write logs.',
    },
    { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'X-Ray has no resources that could be named.' },
    {
      id: `AwsSolutions-IAM5[${bucket}/${QUARANTINE_PREFIX}${folder}/*]`,
      reason: 'Objects below one prefix of one bucket, to be put; read by the redrive only.',
    },
    {
      id: `AwsSolutions-IAM5[${bucket}/${REDRIVE_PREFIX}${folder}/*]`,
      reason: 'The plans of redrives, which one function writes and reads.',
    },
    {
      id: `AwsSolutions-IAM5[${bucket}/${FAILURE_PREFIX}*]`,
      reason: 'The event source mapping puts what it gives up below this prefix.',
    },
    {
      id: `AwsSolutions-IAM5[${archive}/${ARCHIVE_PREFIX}*]`,
      reason: 'Objects of the archive, to be put by one function and read by another.',
    },
  ];
}

/** Says of a pipeline's stacks which findings are meant to be. */
export function acknowledgeFindings(data: Stack, compute: Stack, pipeline: string): void {
  for (const finding of DATA_FINDINGS) Validations.of(data).acknowledge(finding);
  acknowledgeFunctionFindings(data, compute, quarantineFolder(pipeline, FIRST_GENERATION));
}

/** The same of a stack with functions. @param folder below which they put quarantine objects */
export function acknowledgeFunctionFindings(data: Stack, stack: Stack, folder: string): void {
  for (const finding of functionFindings(data, folder)) Validations.of(stack).acknowledge(finding);
}
