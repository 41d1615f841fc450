# -DRETORT_SANITIZE=address,undefined instruments everything that is built.
if(RETORT_SANITIZE)
  if(RETORT_SANITIZE MATCHES "address" AND RETORT_SANITIZE MATCHES "thread")
    message(FATAL_ERROR "RETORT_SANITIZE: address and thread cannot be combined")
  endif()
  add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${RETORT_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=undefined;-g>")
  add_link_options(-fsanitize=${RETORT_SANITIZE})
endif()
