;; Calls the guest, and cancels the call when the cancel signal of the host returns. It does nothing else.
;;
;; A call that has to wait has a slot of memory:
;;   0    the result of the guest: one byte for ok or error, at 8 the response or the error code
;;   96   the call as a subtask; 0 when it is done
;;   100  the wait for the cancel signal as a subtask; 0 when it is done
;;   104  the waitable set of both
;;   108  whether the slot is taken
(module
  (import "memory" "memory" (memory 1))
  (import "host" "call" (func $call (param i32 i32) (result i32)))
  (import "host" "signal" (func $signal (param i64) (result i32)))
  (import "host" "return" (func $return (param i32 i32)))
  (import "host" "new-set" (func $new_set (result i32)))
  (import "host" "drop-set" (func $drop_set (param i32)))
  (import "host" "join" (func $join (param i32 i32)))
  (import "host" "cancel" (func $cancel (param i32) (result i32)))
  (import "host" "drop" (func $drop (param i32)))
  (import "host" "get" (func $get (result i32)))
  (import "host" "set" (func $set (param i32)))

  (func $claim (result i32)
    (local $slot i32)
    (loop $next
      (if (i32.eqz (i32.load offset=108 (local.get $slot)))
        (then
          (i32.store offset=108 (local.get $slot) (i32.const 1))
          (return (local.get $slot))))
      (local.set $slot (i32.add (local.get $slot) (i32.const 128)))
      (br_if $next (i32.lt_u (local.get $slot) (i32.const 0x10000))))
    unreachable)

  ;; Returns the result of the guest.
  (func $respond (param $slot i32)
    (if (i32.load8_u (local.get $slot))
      (then (call $return (i32.const 1) (i32.load8_u offset=8 (local.get $slot))))
      (else (call $return (i32.const 0) (i32.load offset=8 (local.get $slot))))))

  ;; The code that makes a callback wait for its waitable set.
  (func $wait (param $slot i32) (result i32)
    (i32.or (i32.const 2) (i32.shl (i32.load offset=104 (local.get $slot)) (i32.const 4))))

  ;; Waits for the subtasks that are left, or exits.
  (func $next (param $slot i32) (result i32)
    (if (i32.or (i32.load offset=96 (local.get $slot)) (i32.load offset=100 (local.get $slot)))
      (then (return (call $wait (local.get $slot)))))
    (call $drop_set (i32.load offset=104 (local.get $slot)))
    (i32.store offset=108 (local.get $slot) (i32.const 0))
    (i32.const 0))

  ;; The call has changed its state: 0 and 1 are before its end, 2 is returned, the others are
  ;; cancelled, for which wasi:http has no error code.
  (func $called (param $slot i32) (param $state i32)
    (if (i32.lt_u (local.get $state) (i32.const 2)) (then (return)))
    (call $drop (i32.load offset=96 (local.get $slot)))
    (i32.store offset=96 (local.get $slot) (i32.const 0))
    (if (i32.eq (local.get $state) (i32.const 2))
      (then (call $respond (local.get $slot)))
      (else (call $return (i32.const 1) (i32.const 255)))))

  ;; The cancel signal has returned: cancels the call, unless it is done.
  (func $signalled (param $slot i32)
    (local $state i32)
    (if (i32.eqz (i32.load offset=96 (local.get $slot))) (then (return)))
    (local.set $state (call $cancel (i32.load offset=96 (local.get $slot))))
    ;; -1 is blocked: the guest is running its destructors.
    (if (i32.ne (local.get $state) (i32.const -1))
      (then (call $called (local.get $slot) (local.get $state)))))

  (func (export "handle") (param $request i32) (param $exchange i64) (result i32)
    (local $slot i32) (local $status i32)
    (local.set $slot (call $claim))
    (local.set $status (call $call (local.get $request) (local.get $slot)))
    (if (i32.eq (i32.and (local.get $status) (i32.const 15)) (i32.const 2))
      (then
        (call $respond (local.get $slot))
        (i32.store offset=108 (local.get $slot) (i32.const 0))
        (return (i32.const 0))))
    (call $set (local.get $slot))
    (i32.store offset=104 (local.get $slot) (call $new_set))
    (i32.store offset=96 (local.get $slot) (i32.shr_u (local.get $status) (i32.const 4)))
    (call $join
      (i32.load offset=96 (local.get $slot)) (i32.load offset=104 (local.get $slot)))
    (local.set $status (call $signal (local.get $exchange)))
    (if (i32.eq (i32.and (local.get $status) (i32.const 15)) (i32.const 2))
      (then
        (i32.store offset=100 (local.get $slot) (i32.const 0))
        (call $signalled (local.get $slot)))
      (else
        (i32.store offset=100 (local.get $slot) (i32.shr_u (local.get $status) (i32.const 4)))
        (call $join
          (i32.load offset=100 (local.get $slot)) (i32.load offset=104 (local.get $slot)))))
    (call $next (local.get $slot)))

  (func (export "callback") (param $event i32) (param $subtask i32) (param $state i32) (result i32)
    (local $slot i32)
    (local.set $slot (call $get))
    ;; 1: of a subtask, the only event there is.
    (if (i32.eq (local.get $event) (i32.const 1))
      (then
        (if (i32.eq (local.get $subtask) (i32.load offset=96 (local.get $slot)))
          (then (call $called (local.get $slot) (local.get $state)))
          (else
            (if (i32.ge_u (local.get $state) (i32.const 2))
              (then
                (call $drop (local.get $subtask))
                (i32.store offset=100 (local.get $slot) (i32.const 0))
                (call $signalled (local.get $slot))))))))
    (call $next (local.get $slot))))
