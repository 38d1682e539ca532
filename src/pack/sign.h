/* The signature of an artifact: Ed25519 over what its entries are, by OpenSSL where the system has it. */
#ifndef UC_PACK_SIGN_H
#define UC_PACK_SIGN_H

#include "base/error.h"
#include "base/writer.h"
#include "container/bundle.h"

#define UC_CORK_SIGNATURE "signature.json"

/* signature.json for an artifact without one, by the private key in a PEM file. */
uncork_status uc_sign(uc_bundle *bundle, const char *key_path, uc_writer *json,
                      uncork_error *error);
/* OK when the artifact's signature is that of the public key in a PEM file over these entries; INPUT when
 * it isn't, or when there is none. */
uncork_status uc_sign_check(uc_bundle *bundle, const char *key_path, uc_arena *arena,
                            uncork_error *error);

#endif
