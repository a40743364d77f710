/** On everything of a stack: whose it is. Bills are told apart by it. */
export const ORGANIZATION_TAG = 'storeline:organization';
