# The architectures of keras.applications (src/import/keras/apps.json.xz), compiled in as bytes.
set(apps ${CMAKE_SOURCE_DIR}/src/import/keras/apps.json.xz)
uncork_embed(${apps} bytes)
file(CONFIGURE OUTPUT apps_data.c @ONLY CONTENT [[
#include "import/keras/keras_apps.h"

const unsigned char uc_k_apps_data[] = {
@bytes@};
const size_t uc_k_apps_size = sizeof uc_k_apps_data;
]])
unset(bytes)
set(UNCORK_APPS_SOURCE ${CMAKE_BINARY_DIR}/apps_data.c)
