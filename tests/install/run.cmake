# Installs component sim into a staging folder, then configures, builds and runs consumer.cpp
# against it, as somebody would who writes another model.

set(stage ${WORK_DIR}/stage)
set(build ${WORK_DIR}/build)
file(REMOVE_RECURSE ${stage} ${build})

function(step)
    execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

step(${CMAKE_COMMAND} --install ${BUILD_DIR} --component sim --prefix ${stage})
step(
    ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${build} -G ${GENERATOR}
    -D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_COMPILER=${CXX_COMPILER}
    -D CMAKE_PREFIX_PATH=${stage})
step(${CMAKE_COMMAND} --build ${build})
step(${build}/consumer)
