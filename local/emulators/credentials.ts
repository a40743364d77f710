/** The emulators check no signatures, but the SDK wants something to sign with, and s3rver to know the key's name. */
export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;
