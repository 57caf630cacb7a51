# Libraries, all from Debian; librdkafka and yyjson may come from other prefixes (PKG_CONFIG_PATH).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(library IN ITEMS jansson libxml-2.0 libcurl libmicrohttpd gnutls libcrypto libssl libutf8proc
        libpcre2-8 libpq libseccomp)
  string(MAKE_C_IDENTIFIER ${library} name)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${library})
endforeach()
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(yyjson REQUIRED IMPORTED_TARGET yyjson>=0.6)
pkg_check_modules(avro REQUIRED IMPORTED_TARGET avro-c)
pkg_check_modules(lmdb REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)
# Messages are allocated in one thread and freed in another, which jemalloc does for a quarter less;
# sanitizers bring their own.
pkg_check_modules(jemalloc REQUIRED jemalloc)
add_library(allocator INTERFACE)
if(NOT HUB_SANITIZE)
  # Programs that leave allocating to their libraries need it too.
  target_link_libraries(allocator INTERFACE
    -Wl,--push-state,--no-as-needed ${jemalloc_LINK_LIBRARIES} -Wl,--pop-state)
endif()
find_library(CSV_LIBRARY csv REQUIRED)
find_path(UTHASH_INCLUDE uthash.h REQUIRED)
