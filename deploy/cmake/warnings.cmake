# Warnings are errors. Releases are hardened as the OpenSSF compiler guide asks, and keep their
# asserts: CMake's release types would define NDEBUG.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
  -Wall -Wextra -Werror -Wformat=2 -Wconversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wundef -Wpointer-arith -Wwrite-strings
  -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types
  -Werror=int-conversion -fno-common -fno-delete-null-pointer-checks -fno-strict-overflow
  -fno-strict-aliasing)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wtrampolines -Wimplicit-fallthrough -Wbidi-chars=any -Wduplicated-cond -Wlogical-op)
endif()

if(HUB_SANITIZE)
  add_compile_options(-fsanitize=${HUB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HUB_SANITIZE})
else()
  add_compile_options(
    $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=3> -fstack-clash-protection -fstack-protector-strong
    -fcf-protection=full -ftrivial-auto-var-init=zero)
  add_link_options(-Wl,-z,nodlopen -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--as-needed
                   -Wl,--no-copy-dt-needed-entries)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)

# libFuzzer is led by what its inputs reach; only its targets are linked with its main program.
if(HUB_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(HUB_ANALYZE)
  add_compile_options(-fanalyzer)
endif()
if(HUB_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()
