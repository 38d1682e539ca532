# uncork_warnings(target): the one place warnings are chosen. Clean on GCC 12 and Clang 14.
function(uncork_warnings target)
  set(flags -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wdouble-promotion
    -Wcast-qual -Wcast-align -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wredundant-decls -Wundef -Wunused-macros -Wvla -Wwrite-strings -Wpointer-arith -Wformat=2
    -Wswitch-enum -Wimplicit-fallthrough)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Walloca
      -Wjump-misses-init -Wtrampolines -Wstack-usage=65536)
  else()
    list(APPEND flags -Wshorten-64-to-32 -Wcomma -Wextra-semi-stmt -Wconditional-uninitialized
      -Wmissing-variable-declarations -Wunreachable-code)
  endif()
  # At -O2 GCC sees every accessor that may return NULL inlined and warns of each; at -Og it is useful.
  list(APPEND flags $<$<CONFIG:Debug>:-Wnull-dereference>)
  if(UNCORK_WERROR)
    list(APPEND flags -Werror)
  endif()
  target_compile_options(${target} PRIVATE ${flags})
endfunction()
