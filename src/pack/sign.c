/* What is signed is the text "uncork artifact 1 sha256 HEX": HEX over every entry but the signature, in
 * the order of the file: its name, a zero byte, its size as 8 bytes (least first), its bytes.
 *
 * libcrypto is loaded when a key is used and not before: commands that need none start without it, and
 * a build needs nothing of it. Facts: OpenSSL 3, EVP_DigestSign(3), EVP_PKEY_ED25519(7): Ed25519 takes no
 * digest, its signatures have 64 bytes. */
#include "pack/sign.h"

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"

#include <dlfcn.h>
#include <stdio.h>

enum { ED25519 = 1087, SIGNATURE_SIZE = 64 }; /* NID_ED25519: openssl/obj_mac.h */

typedef struct crypto {
    void *library;
    void *(*bio_new)(const void *data, int size);
    int (*bio_free)(void *bio);
    void *(*read_private)(void *bio, void **key, void *password, void *data);
    void *(*read_public)(void *bio, void **key, void *password, void *data);
    int (*key_id)(const void *key);
    void (*key_free)(void *key);
    void *(*context_new)(void);
    void (*context_free)(void *context);
    int (*sign_init)(void *context, void **pkey_context, const void *digest, void *engine,
                     void *key);
    int (*sign)(void *context, unsigned char *signature, size_t *size, const unsigned char *data,
                size_t data_size);
    int (*verify_init)(void *context, void **pkey_context, const void *digest, void *engine,
                       void *key);
    int (*verify)(void *context, const unsigned char *signature, size_t size,
                  const unsigned char *data, size_t data_size);
} crypto;

/* dlsym gives an object pointer; POSIX says that its bytes are those of the function's. */
static bool find(const crypto *c, const char *name, void *to)
{
    void *symbol = dlsym(c->library, name);
    memcpy(to, &symbol, sizeof symbol);
    return symbol != NULL;
}

static uncork_status load(crypto *c, uncork_error *error)
{
    *c = (crypto){.library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL)};
    if (!c->library) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "signatures need OpenSSL 3 (libcrypto.so.3; Debian: libssl3), which isn't "
                       "there");
    }
    if (find(c, "BIO_new_mem_buf", &c->bio_new) && find(c, "BIO_free", &c->bio_free) &&
        find(c, "PEM_read_bio_PrivateKey", &c->read_private) &&
        find(c, "PEM_read_bio_PUBKEY", &c->read_public) && find(c, "EVP_PKEY_get_id", &c->key_id) &&
        find(c, "EVP_PKEY_free", &c->key_free) && find(c, "EVP_MD_CTX_new", &c->context_new) &&
        find(c, "EVP_MD_CTX_free", &c->context_free) &&
        find(c, "EVP_DigestSignInit", &c->sign_init) && find(c, "EVP_DigestSign", &c->sign) &&
        find(c, "EVP_DigestVerifyInit", &c->verify_init) &&
        find(c, "EVP_DigestVerify", &c->verify)) {
        return UNCORK_OK;
    }
    dlclose(c->library);
    return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                   "this libcrypto.so.3 lacks what signatures need");
}

/* A key under a password is refused: nobody is asked for one. */
static int no_password(char *text, int size, int writing, void *data)
{
    (void)text, (void)size, (void)writing, (void)data;
    return -1;
}

static uncork_status read_key(const crypto *c, const char *path, bool private, void **key,
                              uncork_error *error)
{
    uc_arena *arena = uc_arena_new(NULL);
    uc_bytes pem;
    *key = NULL;
    if (!arena) return uc_fail_memory(error);
    uncork_status status = uc_file_read(path, true, arena, &pem, error);
    if (status == UNCORK_OK && pem.size < 1 << 20) {
        int (*ask)(char *, int, int, void *) = no_password;
        void *password, *bio = c->bio_new(pem.data, (int)pem.size);
        memcpy(&password, &ask, sizeof password);
        if (bio) *key = (private ? c->read_private : c->read_public)(bio, NULL, password, NULL);
        if (bio) (void)c->bio_free(bio);
    }
    uc_arena_free(arena);
    if (status != UNCORK_OK) return status;
    if (*key && c->key_id(*key) == ED25519) return UNCORK_OK;
    c->key_free(*key);
    *key = NULL;
    return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                   "%s: no Ed25519 %s key in PEM without a password: openssl genpkey -algorithm "
                   "ed25519 -out KEY.pem, openssl pkey -in KEY.pem -pubout -out PUB.pem",
                   path, private ? "private" : "public");
}

/* ---- what is signed ----------------------------------------------------------------------- */

static uncork_status put_digest(uc_bundle *bundle, char text[128], uncork_error *error)
{
    uc_sha256 sha;
    char hex[65];
    uc_sha256_begin(&sha);
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        uc_bytes bytes;
        uint8_t size[8];
        if (strcmp(name, UC_CORK_SIGNATURE) == 0) continue;
        UC_TRY(uc_bundle_read(bundle, i, &bytes, error));
        for (unsigned k = 0; k < 8; k++)
            size[k] = (uint8_t)((uint64_t)bytes.size >> (8 * k));
        uc_sha256_add(&sha, name, strlen(name) + 1);
        uc_sha256_add(&sha, size, sizeof size);
        uc_sha256_add(&sha, bytes.data, bytes.size);
    }
    uc_sha256_end(&sha, hex);
    snprintf(text, 128, "uncork artifact 1 sha256 %s", hex);
    return UNCORK_OK;
}

uncork_status uc_sign(uc_bundle *bundle, const char *key_path, uc_writer *json, uncork_error *error)
{
    crypto c;
    void *key = NULL;
    char text[128], hex[2 * SIGNATURE_SIZE + 1];
    unsigned char signature[SIGNATURE_SIZE];
    size_t size = sizeof signature;
    UC_TRY(put_digest(bundle, text, error));
    UC_TRY(load(&c, error));
    uncork_status status = read_key(&c, key_path, true, &key, error);
    void *context = status == UNCORK_OK ? c.context_new() : NULL;
    if (status == UNCORK_OK &&
        (!context || c.sign_init(context, NULL, NULL, NULL, key) != 1 ||
         c.sign(context, signature, &size, (const unsigned char *)text, strlen(text)) != 1 ||
         size != SIGNATURE_SIZE)) {
        status = uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "%s: the key doesn't sign", key_path);
    }
    c.context_free(context);
    c.key_free(key);
    dlclose(c.library);
    if (status != UNCORK_OK) return status;
    for (size_t i = 0; i < SIGNATURE_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", signature[i]);
    uc_writer_printf(json, "{\"algorithm\":\"ed25519\",\"signs\":\"%s\",\"signature\":\"%s\"}\n",
                     text, hex);
    return json->status ? uc_fail_memory(error) : UNCORK_OK;
}

/* ---- checking ----------------------------------------------------------------------------- */

static bool read_hex(uc_str hex, unsigned char out[SIGNATURE_SIZE])
{
    if (hex.size != 2 * SIGNATURE_SIZE) return false;
    for (size_t i = 0; i < hex.size; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, hex.data[i]);
        if (!hex.data[i] || !at) return false;
        out[i / 2] = (unsigned char)(out[i / 2] << 4 | (unsigned)(at - digits));
    }
    return true;
}

static uncork_status read_signature(uc_bundle *bundle, unsigned char out[SIGNATURE_SIZE],
                                    uc_arena *arena, uncork_error *error)
{
    const size_t at = uc_bundle_find(bundle, UC_CORK_SIGNATURE);
    uc_bytes bytes;
    if (at == SIZE_MAX) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "the artifact isn't signed: pack it with --sign KEY.pem");
    }
    UC_TRY(uc_bundle_read(bundle, at, &bytes, error));
    const uc_json *json = uc_json_read(bytes, 0, arena, error);
    if (!json) return error->status;
    memset(out, 0, SIGNATURE_SIZE);
    if (read_hex(uc_json_str(uc_json_get(json, "signature"), ""), out)) return UNCORK_OK;
    return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, UC_CORK_SIGNATURE " holds no signature");
}

uncork_status uc_sign_check(uc_bundle *bundle, const char *key_path, uc_arena *arena,
                            uncork_error *error)
{
    crypto c;
    void *key = NULL;
    char text[128];
    unsigned char signature[SIGNATURE_SIZE];
    UC_TRY(read_signature(bundle, signature, arena, error));
    UC_TRY(put_digest(bundle, text, error));
    UC_TRY(load(&c, error));
    uncork_status status = read_key(&c, key_path, false, &key, error);
    void *context = status == UNCORK_OK ? c.context_new() : NULL;
    if (status == UNCORK_OK && (!context || c.verify_init(context, NULL, NULL, NULL, key) != 1 ||
                                c.verify(context, signature, sizeof signature,
                                         (const unsigned char *)text, strlen(text)) != 1)) {
        status = uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                         "the signature isn't that of %s over this artifact", key_path);
    }
    c.context_free(context);
    c.key_free(key);
    dlclose(c.library);
    return status;
}
