/** The field of INFO by which a gateway of this project is known: whoever wants a Redis to keep something in looks for it. */
export const gatewayField = 'macp_persist_gateway';
